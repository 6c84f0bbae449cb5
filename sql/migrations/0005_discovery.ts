/** Discovery. Never edited once landed. */
export const discovery = String.raw`
select 1;
`
