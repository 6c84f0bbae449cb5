/** One object of every kind in every place, and somebody of every kind to ask for it. */
import { startScopeWorld } from "#test/http/scopeWorld.ts"
import { fillTables } from "./wall.ts"

/** Where an object is, as the operator of the own group sees it. */
export const states = ["own", "other", "none", "deleted", "unknown"] as const
export type State = (typeof states)[number]

export const UNKNOWN = "01a200e4-e652-72f9-b45c-117b1e318cc9"

const window = (name: string, host: string) => ({
  name,
  kind: "open",
  scope: { kind: "host", host_id: host },
  rule: { kind: "daily", starts_at_local: "02:00" },
  time_zone: "UTC",
  duration_minutes: 60
})

export const startMatrixWorld = async () => {
  const scope = await startScopeWorld()
  const { web, send, made, admin, groups, hosts } = scope
  const make = async (path: string, body: object): Promise<string> =>
    (await made(send(admin, "POST", path, body))).string("id")
  const gone = await scope.host([groups.a], "gone-1")
  // All that a removed host leaves, but for its request to join: that one is what stands for a deleted one.
  await fillTables(web.rows, [gone])
  await web.rows("delete from enrolments")
  const goneGroup = await make("/api/v1/groups", { name: "Gone" })
  const hostIds: Record<State, string> = {
    own: hosts.own,
    other: hosts.other,
    none: hosts.open,
    deleted: gone,
    unknown: UNKNOWN
  }
  const everywhere = async (make: (host: string) => Promise<string>): Promise<Record<State, string>> => ({
    own: await make(hosts.own),
    other: await make(hosts.other),
    none: await make(hosts.open),
    deleted: await make(hosts.own),
    unknown: UNKNOWN
  })
  const job = (host: string) =>
    make("/api/v1/jobs", { kind: "patch_apply", host_ids: [host], selection: { kind: "all" } })
  const hold = (host: string) =>
    make("/api/v1/holds", { target: { kind: "host", host_id: host }, pattern: "nginx", reason: "matrix" })
  let names = 0
  const newWindow = (host: string) => make("/api/v1/windows", window(`Window ${++names}`, host))
  const jobs = await everywhere(job)
  const holds = await everywhere(hold)
  const windows = await everywhere(newWindow)
  await web.rows("update patch_job_hosts set state = 'cancelled', ended = true, finished_at = now()")
  await web.rows("update patch_jobs set state = 'cancelled', finished_at = now()")
  await web.rows("delete from patch_jobs where id = $1", [jobs.deleted])
  await web.rows("delete from holds where id = $1", [holds.deleted])
  await web.rows("delete from maintenance_windows where id = $1", [windows.deleted])
  await web.rows("delete from groups where id = $1", [goneGroup])
  await web.rows("update hosts set removed_at = now() where id = $1", [gone])
  await fillTables(web.rows, [hosts.own, hosts.other, hosts.open])

  const stale = await web.signIn("admin")
  await web.rows("update sessions set stepped_up_at = now() - interval '10 minutes' where id = $1", [stale.session])
  const actors = {
    admin,
    operator: scope.ann,
    auditor: scope.audrey,
    token: await web.tokenFor("admin"),
    "operator's token": await web.tokenFor("ann"),
    "admin without fresh proof": stale.token,
    "password alone": (await web.signIn("admin", { stage: "password", factor: null })).token,
    enrolling: (await web.signIn("admin", { stage: "enrolling", factor: null })).token,
    anonymous: undefined
  } as const
  const objects: Record<string, Partial<Record<State, string>>> = {
    host: hostIds,
    group: { own: groups.a, other: groups.b, deleted: goneGroup, unknown: UNKNOWN },
    job: jobs,
    // The wall's requests to join have the id of the host they became.
    enrolment: hostIds,
    hold: holds,
    window: windows
  }
  return { ...scope, actors, objects, newWindow, window }
}

export type MatrixWorld = Awaited<ReturnType<typeof startMatrixWorld>>
export type Actor = keyof MatrixWorld["actors"]
export const actorNames: ReadonlyArray<Actor> = [
  "admin",
  "operator",
  "auditor",
  "token",
  "operator's token",
  "admin without fresh proof",
  "password alone",
  "enrolling",
  "anonymous"
]
