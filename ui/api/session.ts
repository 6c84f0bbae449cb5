/** Who is signed in. The access token lives in this module's memory only; the refresh token in a cookie no script can read. */
import { createSignal } from "solid-js"
import type { LoginResult, SignedIn } from "#http/api/Auth.ts"
import type { Permission } from "#core/Permission.ts"
import type { User } from "#core/User.ts"
import { noAnswer, readApiError } from "./ApiError.ts"

export type Session =
  | { readonly state: "starting" }
  | { readonly state: "signed_out"; readonly expired: boolean }
  | { readonly state: "unreachable" }
  | { readonly state: "signed_in"; readonly user: User }

const DEADLINE_MS = 15_000

const [session, setSession] = createSignal<Session>({ state: "starting" })
export { session }

let token: string | null = null
let refreshing: Promise<boolean> | null = null

export const accessToken = (): string | null => token

export const user = (): User | null => {
  const current = session()
  return current.state === "signed_in" ? current.user : null
}

/** Whether the signed-in person's role allows it; what it does not allow is not shown. */
export const may = (permission: Permission): boolean => user()?.permissions.includes(permission) ?? false

const accept = (signed: SignedIn): void => {
  token = signed.access_token
  const known = user()
  if (known === null || JSON.stringify(known) !== JSON.stringify(signed.user)) {
    setSession({ state: "signed_in", user: signed.user })
  }
}

const forget = (): void => {
  const wasIn = session().state === "signed_in"
  token = null
  setSession({ state: "signed_out", expired: wasIn })
}

const send = (path: string, body?: unknown): Promise<Response> =>
  fetch(path, {
    method: "POST",
    credentials: "same-origin",
    signal: AbortSignal.timeout(DEADLINE_MS),
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) })
  }).catch((cause: unknown) => {
    throw noAnswer(cause)
  })

const refreshOnce = async (): Promise<boolean> => {
  const response = await send("/api/v1/auth/refresh")
  if (response.status === 401 || response.status === 403) {
    forget()
    return false
  }
  if (!response.ok) throw await readApiError(response)
  accept((await response.json()) as SignedIn)
  return true
}

/** One refresh at a time, however many requests found the token expired. True when signed in afterwards. */
export const refresh = (): Promise<boolean> => {
  refreshing ??= refreshOnce().finally(() => {
    refreshing = null
  })
  return refreshing
}

/** Takes up the session of an earlier page load, if the cookie still holds one. */
export const startSession = async (): Promise<void> => {
  try {
    await refresh()
  } catch {
    setSession({ state: "unreachable" })
  }
}

/** Signs in with the password. The result's `status` leaves room for a step between password and signed in. */
export const signIn = async (username: string, password: string): Promise<LoginResult> => {
  const response = await send("/api/v1/auth/login", { username, password })
  if (!response.ok) throw await readApiError(response)
  const result = (await response.json()) as LoginResult
  if (result.status === "signed_in") accept(result)
  return result
}

export const signOut = async (): Promise<void> => {
  await send("/api/v1/auth/logout").catch(() => undefined)
  token = null
  setSession({ state: "signed_out", expired: false })
}
