/** Which passkeys may have been copied. Never edited once landed. */
export const passkeys = String.raw`
-- When its device's counter last went back; the alarm stands until every such passkey is removed.
alter table passkeys add column counter_went_back_at timestamptz;
`
