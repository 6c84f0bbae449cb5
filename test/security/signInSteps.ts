/** Signing in as a person does: password, then an authenticator app. */
import { generateSync } from "otplib"
import type { TestWeb } from "#test/http/TestWeb.ts"

export const cookieOf = (answer: Awaited<ReturnType<TestWeb["call"]>>): string =>
  String(answer.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? ""

/** Sets up an authenticator app at the first sign-in; answers its secret and the session that follows. */
export const enrolTotp = async (web: TestWeb, username: string) => {
  const { token, cookie, answer } = await web.login(username)
  const started = await web.call("POST", "/api/v1/auth/factors/totp", { token })
  const secret = started.string("secret")
  const confirmed = await web.call("POST", "/api/v1/auth/factors/totp/confirm", {
    token,
    body: { code: generateSync({ secret }) },
    headers: { cookie }
  })
  if (confirmed.status !== 200) throw new Error(`The app was not set up: ${confirmed.status} ${confirmed.text}`)
  return {
    secret,
    login: answer,
    confirmed,
    token: confirmed.string("signed_in.access_token"),
    cookie: cookieOf(confirmed)
  }
}

/** Gives the code that the app shows now; the same step counts again, so that nobody has to wait for the next one. */
export const giveTotp = async (web: TestWeb, secret: string, token: string, cookie: string | null) => {
  await web.rows("update totp_secrets set last_step = 0")
  return web.call("POST", "/api/v1/auth/mfa/totp", {
    token,
    body: { code: generateSync({ secret }) },
    headers: cookie === null ? {} : { cookie }
  })
}
