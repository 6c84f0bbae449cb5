/** How a host reads as JSON, from `hosts h`, `host_snapshots s` and `host_patch_data p`. */
export const hostItemColumns = `
  h.id, h.display_name, h.fqdn, host(h.address) as address, h.agent_port, h.os, h.os_version, h.agent_version,
  s.link, s.work, s.summary, s.since, s.version as state_version, p.pending, p.security, p.read_at as patches_read_at,
  h.reboot_needed, h.last_seen_at, h.version`

export const hostSources = `
  from hosts h join host_snapshots s on s.host_id = h.id left join host_patch_data p on p.host_id = h.id`

/** Certificate as metadata, from `certificates c`. */
export const certificateColumns = `
  c.id, c.subject, c.serial, c.fingerprint_sha256, c.not_before, c.not_after, c.issued_at, c.issued_by, c.revoked_at`
