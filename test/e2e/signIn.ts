/** Signing in at the console as a person does. */
import type { BrowserContext, Page } from "playwright-core"
import type { Web } from "#test/harness/startWeb.ts"
import { Authenticator } from "./totp.ts"

export interface Enrolled {
  readonly app: Authenticator
  readonly recoveryCodes: ReadonlyArray<string>
}

export const typePassword = async (page: Page, username: string, password: string): Promise<void> => {
  await page.getByLabel("User name").fill(username)
  await page.keyboard.press("Enter")
  await page.getByLabel("Password", { exact: true }).fill(password)
  await page.keyboard.press("Enter")
}

/** From the step that forces a second factor on: an authenticator app, the codes stored, the console open. */
export const enrolTotp = async (page: Page): Promise<Enrolled> => {
  await page.getByRole("heading", { name: "Set up a second factor" }).waitFor()
  await page.getByRole("radio", { name: /Authenticator app/ }).check()
  const secret = await page
    .locator(".code > span")
    .filter({ hasText: /^[A-Z2-7 ]{16,}$/ })
    .textContent()
  const app = new Authenticator(secret ?? "")
  await page.getByLabel("Code from the app").fill(await app.code())
  await page.getByRole("button", { name: "Confirm and continue" }).click()
  return { app, recoveryCodes: await storeCodes(page) }
}

export const storeCodes = async (page: Page): Promise<ReadonlyArray<string>> => {
  const list = page.getByRole("list", { name: "Recovery codes" })
  await list.waitFor()
  const codes = await list.getByRole("listitem").allTextContents()
  await page.getByLabel("I have stored them").check()
  await page.getByRole("button", { name: /^(Open the console|Done)$/ }).click()
  return codes
}

export const dashboard = (page: Page): Promise<void> =>
  page.getByRole("heading", { level: 1, name: "Dashboard" }).waitFor()

/** The administrator with a session that was made beside the console, for tests of what comes after signing in. */
export const takeSession = async (context: BrowserContext, web: Pick<Web, "origin" | "cookie">): Promise<void> => {
  const [name = "", value = ""] = web.cookie.split("=")
  await context.addCookies([
    { name, value, url: web.origin, secure: true, httpOnly: true, sameSite: "Strict" as const }
  ])
}
