/** Columns of windows and of their runs as the wire has them. */

/** A row of `maintenance_windows w` as a MaintenanceWindow. */
export const windowColumns = `
  w.id, w.name, w.kind, json_strip_nulls(json_build_object('kind', w.scope, 'host_id', w.host_id, 'group_id', w.group_id)) as scope,
  w.rule, w.time_zone, w.duration_minutes, w.blackout_dates, w.auto_apply, w.enabled, w.version, w.watched_since,
  w.created_by, w.created_at, w.updated_at`

/** A WindowRun, up to its conditions. */
export const runColumns = `
  r.window_id, r.opens_at, r.closes_at, r.outcome, r.job_id, j.number as job_number, r.hosts, r.note, r.decided_at
  from window_runs r left join patch_jobs j on j.id = r.job_id`
