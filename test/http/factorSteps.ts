/** Steps that tests of second factors share: signing in with the password, giving codes, enrolling. */
import { generateSync } from "otplib"
import { SoftAuthenticator } from "#test/setup/SoftAuthenticator.ts"
import type { Answer, TestWeb } from "./TestWeb.ts"

export const publicOrigin = "https://localhost:8443"

export interface Held {
  readonly token: string
  readonly cookie: string
}

export const cookieOf = (answer: Answer, name = "__Host-refresh"): string => {
  const all = answer.headers["set-cookie"] ?? []
  const found = (typeof all === "string" ? [all] : all).find((one) => one.startsWith(`${name}=`))
  return found?.split(";")[0] ?? ""
}

/** What an answer with a token in it leaves a browser with. */
export const heldAfter = (answer: Answer, at = "access_token"): Held => ({
  token: String(answer.at(at)),
  cookie: cookieOf(answer)
})

/** A code of the app, `steps` of 30 seconds from now. */
export const codeOf = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 })

export const makeFactorSteps = (web: TestWeb) => {
  const post = (path: string, held: Partial<Held> | null, body?: unknown) =>
    web.call("POST", `/api/v1/auth${path}`, {
      ...(held?.token === undefined ? {} : { token: held.token }),
      ...(body === undefined ? {} : { body }),
      ...(held?.cookie === undefined ? {} : { headers: { cookie: held.cookie } })
    })
  const login = (username: string, password: string) => post("/login", null, { username, password })

  /** Begins and confirms an app; the session that comes of it, the secret and the codes. */
  const enrolTotp = async (held: Held) => {
    const started = await post("/factors/totp", held)
    if (started.status !== 200) throw new Error(`TOTP was not begun: ${started.status} ${started.text}`)
    const secret = started.string("secret")
    const answer = await post("/factors/totp/confirm", held, { code: codeOf(secret, -1) })
    if (answer.status !== 200) throw new Error(`TOTP was not confirmed: ${answer.status} ${answer.text}`)
    const codes = (answer.at("recovery_codes") ?? []) as ReadonlyArray<string>
    return { secret, codes, answer, held: heldAfter(answer, "signed_in.access_token") }
  }

  const enrolPasskey = async (held: Held, device = new SoftAuthenticator(publicOrigin), name = "laptop") => {
    const options = await post("/factors/passkeys/options", held)
    if (options.status !== 200) throw new Error(`No passkey was asked for: ${options.status} ${options.text}`)
    const response = device.create(options.json() as Parameters<SoftAuthenticator["create"]>[0])
    const answer = await post("/factors/passkeys", held, { name, response })
    if (answer.status !== 200) throw new Error(`The passkey was not taken: ${answer.status} ${answer.text}`)
    return { device, answer, held: heldAfter(answer, "signed_in.access_token") }
  }

  return { post, login, enrolTotp, enrolPasskey }
}
