/** What the processes' database roles may see and do. Never edited once landed. */
export const roles = String.raw`
select 1;
`
