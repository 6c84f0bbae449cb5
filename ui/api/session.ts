/** Who is signed in. The access token lives in this module's memory only; the refresh token in a cookie no script can read. */
import { createSignal } from "solid-js"
import type { LoginResult, SignedIn } from "#http/api/Auth.ts"
import type { Permission } from "#core/Permission.ts"
import type { EnrolmentKind, FactorKind } from "#core/Session.ts"
import type { User } from "#core/User.ts"
import { activityHeaders, watchActivity } from "./activity.ts"
import { noAnswer, readApiError } from "./ApiError.ts"

export type Session =
  | { readonly state: "starting" }
  /** `expired`: it ran out while somebody was signed in here; `ended`: somebody ended it. */
  | { readonly state: "signed_out"; readonly why: "none" | "expired" | "ended" }
  | { readonly state: "unreachable" }
  /** The password was right; one of these is owed. */
  | { readonly state: "mfa_required"; readonly factors: ReadonlyArray<FactorKind> }
  /** The account has no second factor yet and has to set one up before anything else. */
  | { readonly state: "enrolment_required"; readonly factors: ReadonlyArray<EnrolmentKind> }
  /** Signed in with a password that somebody else made: nothing is open but changing it. */
  | { readonly state: "password_change_required"; readonly user: User }
  | { readonly state: "signed_in"; readonly user: User }

const DEADLINE_MS = 15_000

const [session, setSession] = createSignal<Session>({ state: "starting" })
export { session }

let token: string | null = null
let refreshing: Promise<boolean> | null = null
/** `performance.now()` of the last answer with a token, and how long that token holds. */
let renewedAt = 0
let holdsMs = 0

export const accessToken = (): string | null => token

export const user = (): User | null => {
  const current = session()
  return current.state === "signed_in" || current.state === "password_change_required" ? current.user : null
}

/** Whether the signed-in person's role allows it; what it does not allow is not shown. */
export const may = (permission: Permission): boolean => user()?.permissions.includes(permission) ?? false

/** Takes up where an answer says that the session stands. */
export const accept = (result: LoginResult): void => {
  token = result.access_token
  renewedAt = performance.now()
  if (result.status === "mfa_required") return void setSession({ state: result.status, factors: result.factors })
  if (result.status === "enrolment_required") return void setSession({ state: result.status, factors: result.factors })
  holdsMs = result.expires_in_seconds * 1000
  const state = result.user.must_change_password ? "password_change_required" : "signed_in"
  if (session().state !== state || JSON.stringify(user()) !== JSON.stringify(result.user)) {
    setSession({ state, user: result.user })
  }
}

const forget = (): void => {
  const wasIn = user() !== null
  token = null
  setSession({ state: "signed_out", why: wasIn ? "expired" : "none" })
}

const send = (path: string, body?: unknown, more: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(path, {
    method: "POST",
    credentials: "same-origin",
    signal: AbortSignal.timeout(DEADLINE_MS),
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...activityHeaders(), ...more },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  }).catch((cause: unknown) => {
    throw noAnswer(cause)
  })

/** Tabs share the cookie: one after the other, or the second would offer a token that was used already. */
const alone = <A>(run: () => Promise<A>): Promise<A> =>
  "locks" in navigator ? navigator.locks.request("patch-manager.refresh", run) : run()

const refreshOnce = async (tries = 3): Promise<boolean> => {
  const response = await send("/api/v1/auth/refresh")
  if (!response.ok) {
    const error = await readApiError(response)
    // A step-up has just replaced the cookie; the browser has the new one by now.
    if (error.code === "session_replaced" && tries > 1) return refreshOnce(tries - 1)
    if (error.status !== 401 && error.status !== 403) throw error
    forget()
    return false
  }
  accept((await response.json()) as LoginResult)
  return true
}

/** One refresh at a time, however many requests found the token expired. True when there is a new token afterwards. */
export const refresh = (): Promise<boolean> => {
  refreshing ??= alone(() => refreshOnce()).finally(() => {
    refreshing = null
  })
  return refreshing
}

/**
 * What somebody does here keeps the session alive, what the page does by itself does not. The server learns of it at the latest
 * when a third of the access token's life is over.
 */
const keepAlive = (): void => {
  if (user() === null || refreshing !== null || performance.now() - renewedAt < holdsMs / 3) return
  void refresh().catch(() => undefined)
}

/** Takes up the session of an earlier page load, if the cookie still holds one. */
export const startSession = async (): Promise<void> => {
  watchActivity(keepAlive)
  try {
    await refresh()
  } catch {
    setSession({ state: "unreachable" })
  }
}

/** Posts without a second try: a wrong code must not be counted twice. */
const prove = async <A>(path: string, body?: unknown): Promise<A> => {
  const response = await send(path, body, token === null ? {} : { authorization: `Bearer ${token}` })
  if (!response.ok) throw await readApiError(response)
  return (await response.json()) as A
}

/** Signs in with the password; where the session then stands is in `session`. */
export const signIn = async (username: string, password: string): Promise<void> =>
  accept(await prove<LoginResult>("/api/v1/auth/login", { username, password }))

/** A code of the authenticator app: ends the sign-in, or proves anew who is asking. */
export const proveTotp = async (code: string): Promise<void> =>
  accept(await prove<SignedIn>("/api/v1/auth/mfa/totp", { code }))

/** A recovery code counts once. */
export const proveRecoveryCode = async (code: string): Promise<void> =>
  accept(await prove<SignedIn>("/api/v1/auth/mfa/recovery-code", { code }))

/** A passkey as the second factor. */
export const provePasskey = async (): Promise<void> => {
  const { usePasskey } = await import("./passkeys.ts")
  const response = await usePasskey(await prove("/api/v1/auth/mfa/passkey/options"))
  accept(await prove<SignedIn>("/api/v1/auth/mfa/passkey", { response }))
}

/** A passkey instead of name and password. With `autofill` it waits until somebody picks one in the name's field. */
export const signInWithPasskey = async (autofill = false): Promise<void> => {
  const { usePasskey } = await import("./passkeys.ts")
  const response = await usePasskey(await prove("/api/v1/auth/passkey/options"), autofill)
  accept(await prove<LoginResult>("/api/v1/auth/passkey", { response }))
}

/** Somebody ended this session; the server said so on a live socket. */
export const endSession = (): void => {
  token = null
  setSession({ state: "signed_out", why: "ended" })
}

export const signOut = async (): Promise<void> => {
  await send("/api/v1/auth/logout").catch(() => undefined)
  token = null
  setSession({ state: "signed_out", why: "none" })
}
