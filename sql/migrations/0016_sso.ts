/** Sign-in through an identity provider. Never edited once landed. */
export const sso = String.raw`
select 1;
`
