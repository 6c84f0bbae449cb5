/** Users, as the REST API gives and takes them. Every change may ask first who is there. */
import type { Page } from "#core/Page.ts"
import type { Role } from "#core/Permission.ts"
import type {
  FactorsReset,
  NewUser,
  PasswordReset,
  UserAccount,
  UserChange,
  UserMade,
  UserSort
} from "#core/UserAccount.ts"
import { getJson, postJson, send } from "./client.ts"
import { withStepUp } from "./stepUp.ts"

const path = (id: string, rest = ""): string => `/api/v1/users/${encodeURIComponent(id)}${rest}`

export interface UserListRequest {
  readonly q?: string | undefined
  readonly role?: ReadonlyArray<Role> | undefined
  readonly disabled?: boolean | undefined
  readonly sort?: UserSort | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

export const listUsers = (request: UserListRequest, signal?: AbortSignal): Promise<Page<UserAccount>> =>
  getJson("/api/v1/users", { query: { ...request }, signal })

export const readUser = (id: string, signal?: AbortSignal): Promise<UserAccount> => getJson(path(id), { signal })

export const createUser = (user: NewUser, key: string): Promise<UserMade> =>
  withStepUp(() => postJson("/api/v1/users", { body: user, headers: { "idempotency-key": key } }))

export const changeUser = (user: UserAccount, change: UserChange): Promise<UserAccount> =>
  withStepUp(async () => {
    const headers = { "if-match": `"${user.version}"` }
    return (await (await send("PATCH", path(user.id), { body: change, headers })).json()) as UserAccount
  })

export const deleteUser = async (id: string): Promise<void> => {
  await withStepUp(() => send("DELETE", path(id)))
}

export const resetFactors = (id: string): Promise<FactorsReset> => withStepUp(() => postJson(path(id, "/reset-mfa")))

export const resetPassword = (id: string): Promise<PasswordReset> =>
  withStepUp(() => postJson(path(id, "/reset-password")))
