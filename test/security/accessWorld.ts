/** The scope world with one of everything that can be edited, and the means to look at it from outside. */
import WebSocket from "ws"
import { startScopeWorld } from "#test/http/scopeWorld.ts"

export const startAccessWorld = async () => {
  const world = await startScopeWorld()
  const { web, admin, groups, hosts, send, made } = world
  const userId = async (username: string) =>
    (await web.rows<{ id: string }>("select id from users where username = $1", [username]))[0]!.id

  const window = (scope: object, who = admin) =>
    made(
      send(who, "POST", "/api/v1/windows", {
        name: "Sunday night",
        kind: "open",
        scope,
        rule: { kind: "weekly", weekdays: ["sunday"], starts_at_local: "02:00" },
        time_zone: "UTC",
        duration_minutes: 60
      })
    )
  const hold = (target: object, who = admin) =>
    made(send(who, "POST", "/api/v1/holds", { target, pattern: "nginx*", reason: "frozen" }))
  const job = (host_ids: ReadonlyArray<string>, who = admin) =>
    made(send(who, "POST", "/api/v1/jobs", { kind: "reboot", reboot: "always", host_ids }))

  const ids = {
    window: (await window({ kind: "group", group_id: groups.a })).string("id"),
    windowOfOther: (await window({ kind: "group", group_id: groups.b })).string("id"),
    hold: (await hold({ kind: "host", host_id: hosts.own })).string("id"),
    holdOfOther: (await hold({ kind: "host", host_id: hosts.other })).string("id"),
    job: (await job([hosts.own])).string("id"),
    jobOfOther: (await job([hosts.other])).string("id"),
    user: await userId("bob"),
    provider: (
      await made(
        send(admin, "POST", "/api/v1/sso/providers", {
          name: "Example",
          kind: "oidc",
          issuer: "https://127.0.0.9:9443",
          client_id: "patch-manager",
          client_secret: "canary-client-secret"
        })
      )
    ).string("id")
  }

  /** A live socket of somebody, with all that it was told. */
  const socket = async (token: string, path: "fleet" | "jobs", subscribe: object) => {
    const ticket = (await send(token, "POST", "/api/v1/ws/ticket")).string("ticket")
    const browser = new WebSocket(`wss://127.0.0.1:${web.port}/api/v1/ws/${path}?ticket=${ticket}`, {
      ca: web.ca,
      headers: { host: `localhost:${web.port}`, origin: `https://localhost:${web.port}` }
    })
    const told: Array<Record<string, unknown>> = []
    browser.on("message", (data) => told.push(JSON.parse(String(data)) as Record<string, unknown>))
    const closed = new Promise<number>((resolve) => browser.on("close", resolve))
    await new Promise<void>((resolve, reject) => {
      browser.on("open", () => resolve())
      browser.on("error", reject)
    })
    browser.send(JSON.stringify({ subscribe: { from_seq: null, ...subscribe } }))
    return { told, closed, close: () => browser.close() }
  }

  return { ...world, ids, userId, window, hold, job, socket }
}

export type AccessWorld = Awaited<ReturnType<typeof startAccessWorld>>
