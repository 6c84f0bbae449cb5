/** Which addresses may come in, and how often. Never edited once landed. */
export const network = String.raw`
select 1;
`
