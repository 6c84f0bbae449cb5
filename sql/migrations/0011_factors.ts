/** What somebody proves who he is with: passwords, one-time codes, passkeys, recovery codes. Never edited once landed. */
export const factors = String.raw`
select 1;
`
