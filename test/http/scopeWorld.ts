/** Two groups with an operator each, and one host of every kind there is. */
import { startTestWeb } from "./TestWeb.ts"

export const startScopeWorld = async () => {
  const web = await startTestWeb()
  for (const name of ["ann", "bob", "free"]) await web.addUser(name, "operator")
  await web.addUser("admin", "admin")
  await web.addUser("audrey", "auditor")
  const tokens = {
    admin: (await web.signIn("admin")).token,
    audrey: (await web.signIn("audrey")).token
  }
  let keys = 0
  const send = (who: string, method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
    web.call(method, path, {
      token: who,
      ...(body === undefined ? {} : { body }),
      headers: { "idempotency-key": `key-${++keys}`, ...headers }
    })
  const made = async (answer: ReturnType<typeof send>) => {
    const got = await answer
    if (got.status >= 300) throw new Error(`${got.status} ${got.text}`)
    return got
  }
  const group = async (name: string) =>
    (await made(send(tokens.admin, "POST", "/api/v1/groups", { name }))).string("id")
  const groups = { a: await group("Databases"), b: await group("Mail") }
  const join = (id: string, usernames: ReadonlyArray<string>) =>
    made(send(tokens.admin, "PUT", `/api/v1/groups/${id}/users`, { usernames }))
  await join(groups.a, ["ann"])
  await join(groups.b, ["bob"])
  let addresses = 0
  const host = (group_ids: ReadonlyArray<string>, display_name?: string) =>
    web.addHost(tokens.admin, {
      address: `127.20.${(++addresses / 250) | 0}.${(addresses % 250) + 1}`,
      group_ids,
      ...(display_name === undefined ? {} : { display_name })
    })
  const hosts = {
    own: await host([groups.a], "db-1"),
    shared: await host([groups.a, groups.b], "db-mail"),
    other: await host([groups.b], "mail-1"),
    open: await host([], "open-1"),
    unknown: "01a200e4-e652-72f9-b45c-117b1e318cc9"
  }
  const operators = {
    ann: (await web.signIn("ann")).token,
    bob: (await web.signIn("bob")).token,
    free: (await web.signIn("free")).token
  }
  const audits = (action: string) =>
    web.rows<{ object_id: string; actor_name: string; before: unknown; after: unknown }>(
      "select * from audit_log where action = $1 order by seq desc",
      [action]
    )
  return { web, send, made, host, join, groups, hosts, audits, ...tokens, ...operators }
}

export type ScopeWorld = Awaited<ReturnType<typeof startScopeWorld>>
