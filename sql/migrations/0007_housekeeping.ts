/** Housekeeping. Never edited once landed. */
export const housekeeping = String.raw`
select 1;
`
