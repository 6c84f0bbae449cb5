/** Enrolments. Never edited once landed. */
export const enrolments = String.raw`
select 1;
`
