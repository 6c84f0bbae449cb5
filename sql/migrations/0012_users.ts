/** Accounts as administrators keep them. Never edited once landed. */
export const users = String.raw`
select 1;
`
