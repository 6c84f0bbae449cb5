/** Another person at the same web process. */
import { Effect } from "effect"
import { createUser } from "#http/server/createUser.ts"
import type { Web } from "./startWeb.ts"
import type { World } from "./World.ts"

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** What a call that was not answered 2xx said; fails for one that was. */
export const refusalOf = async (call: Promise<unknown>): Promise<Refusal> => {
  const found = await call.then(
    (answer) => new Error(`It was answered: ${JSON.stringify(answer)}`),
    (error: unknown) => /answered (\d+): (.*)$/s.exec(String(error)) ?? new Error(String(error))
  )
  if (found instanceof Error) throw found
  const { error } = JSON.parse(found[2] ?? "{}") as { readonly error: Omit<Refusal, "status"> }
  return { status: Number(found[1]), code: error.code, message: error.message, details: error.details ?? {} }
}

/** An operator's own calls. */
export const addOperator = async (world: World, web: Web, username: string): Promise<Web["call"]> => {
  const password = `the password of ${username}`
  await world.run(Effect.asVoid(createUser({ username, displayName: username, role: "operator", password })))
  const { token } = await web.signInAs(username)
  return (method, path, body, headers = {}) =>
    web.call(method, path, body, { authorization: `Bearer ${token}`, ...headers })
}
