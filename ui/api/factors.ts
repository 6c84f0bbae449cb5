/** One's own second factors, as the REST API gives and takes them. */
import type { FactorAdded, Factors, PasskeyAdded, RecoveryCodes, TotpStarted } from "#http/api/Factors.ts"
import { getJson, postJson, send } from "./client.ts"
import { makePasskey } from "./passkeys.ts"

const path = "/api/v1/auth/factors"

export const readFactors = (signal?: AbortSignal): Promise<Factors> => getJson(path, { signal })

/** A new secret, kept aside until a code of it was given. */
export const startTotp = (): Promise<TotpStarted> => postJson(`${path}/totp`)

export const confirmTotp = (code: string): Promise<FactorAdded> => postJson(`${path}/totp/confirm`, { body: { code } })

export const addPasskey = async (name: string): Promise<PasskeyAdded> => {
  const response = await makePasskey(await postJson(`${path}/passkeys/options`))
  return postJson(`${path}/passkeys`, { body: { name, response } })
}

export const removeTotp = async (): Promise<void> => {
  await send("DELETE", `${path}/totp`)
}

export const removePasskey = async (id: string): Promise<void> => {
  await send("DELETE", `${path}/passkeys/${encodeURIComponent(id)}`)
}

export const renewRecoveryCodes = (): Promise<RecoveryCodes> => postJson(`${path}/recovery-codes`)

export const changePassword = async (current_password: string, new_password: string): Promise<void> => {
  await send("PUT", "/api/v1/auth/password", { body: { current_password, new_password } })
}
