/** Windows. Never edited once landed. */
export const windows = String.raw`
select 1;
`
