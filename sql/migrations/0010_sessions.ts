/** Sessions as rows of their own: how far somebody got in signing in, and when he last proved who he is. Never edited once landed. */
export const sessions = String.raw`
select 1;
`
