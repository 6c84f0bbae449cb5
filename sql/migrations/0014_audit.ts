/** Checkpoints of the audit log and what its verification found. Never edited once landed. */
export const audit = String.raw`
select 1;
`
