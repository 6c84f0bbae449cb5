/** Signing in at the console, each way there is, with a real browser and its virtual authenticator. */
import { join } from "node:path"
import { Effect } from "effect"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { createUser } from "#http/server/createUser.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { openBrowser } from "./openBrowser.ts"
import { dashboard, type Enrolled, enrolTotp, storeCodes, typePassword } from "./signIn.ts"
import { addAuthenticator } from "./virtualAuthenticator.ts"

const consoleDirectory = join(import.meta.dirname, "..", "..", ".build", "console")
const password = "correct horse battery staple"

let world: World
let web: Web
let browser: Browser
let context: BrowserContext | undefined

const addUser = (username: string): Promise<void> =>
  world.run(Effect.asVoid(createUser({ username, displayName: username, role: "operator", password })))

/** A browser that has never been here. */
const open = async (path = "/"): Promise<Page> => {
  context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(`${web.origin}${path}`)
  await page.getByRole("heading", { name: "Sign in" }).waitFor()
  return page
}

const enrol = async (username: string): Promise<{ page: Page; enrolled: Enrolled }> => {
  await addUser(username)
  const page = await open()
  await typePassword(page, username, password)
  const enrolled = await enrolTotp(page)
  await dashboard(page)
  return { page, enrolled }
}

const signOut = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: /account of/ }).click()
  await page.getByRole("menuitem", { name: "Sign out" }).click()
  await page.getByRole("heading", { name: "Sign in" }).waitFor()
}

beforeAll(async () => {
  world = await makeWorld({ count: 0, seed: 4 })
  web = await startWeb(world, consoleDirectory)
  browser = await openBrowser()
})
afterEach(async () => {
  await context?.close()
  context = undefined
})
afterAll(async () => {
  await browser?.close()
  await web?.stop()
  await world?.stop()
})

describe("the sign-in page in a real browser", () => {
  it("forces an authenticator app at the first sign-in and asks for its code at the next", async () => {
    const { page, enrolled } = await enrol("ann")
    expect(new Set(enrolled.recoveryCodes).size).toBe(10)
    await signOut(page)
    await typePassword(page, "ann", password)
    await page.getByRole("heading", { name: "Second factor" }).waitFor()
    await page.reload()
    await page.getByRole("heading", { name: "Second factor" }).waitFor()
    await page.getByLabel("Code from the authenticator app").fill(await enrolled.app.code())
    await page.keyboard.press("Enter")
    await dashboard(page)
  })

  it("refuses a code that was given before, and says so", async () => {
    const { page, enrolled } = await enrol("bob")
    await signOut(page)
    await typePassword(page, "bob", password)
    await page.getByLabel("Code from the authenticator app").fill(enrolled.app.last())
    await page.keyboard.press("Enter")
    await page.getByRole("alert").waitFor()
    expect(await page.getByLabel("Code from the authenticator app").inputValue()).toBe("")
    await page.getByLabel("Code from the authenticator app").fill(await enrolled.app.code())
    await page.keyboard.press("Enter")
    await dashboard(page)
  })

  it("takes a recovery code once", async () => {
    const { page, enrolled } = await enrol("cat")
    const [code = ""] = enrolled.recoveryCodes
    const give = async (): Promise<void> => {
      await signOut(page)
      await typePassword(page, "cat", password)
      await page.getByRole("button", { name: "Use a recovery code" }).click()
      await page.getByLabel("Recovery code").fill(code)
      await page.keyboard.press("Enter")
    }
    await give()
    await dashboard(page)
    await page.goto(`${web.origin}/account`)
    await page.getByText("9 codes left").waitFor()
    await give()
    await page.getByRole("alert").waitFor()
    await page.getByRole("heading", { name: "Second factor" }).waitFor()
  })

  it("registers a passkey, takes it as the second factor, and without name and password as the first", async () => {
    await addUser("dan")
    const page = await open()
    const authenticator = await addAuthenticator(page)
    await typePassword(page, "dan", password)
    await page.getByRole("radio", { name: /Passkey/ }).check()
    await page.getByRole("button", { name: "Create a passkey" }).click()
    await storeCodes(page)
    await dashboard(page)
    expect(await authenticator.passkeys()).toBe(1)
    await authenticator.present(false)
    await signOut(page)
    await typePassword(page, "dan", password)
    await page.getByRole("heading", { name: "Second factor" }).waitFor()
    await authenticator.present(true)
    await page.getByRole("button", { name: "Use a passkey" }).click()
    await dashboard(page)
    // Without the offer in the field for the user name, which would be taken at once.
    await page.evaluate(() => {
      PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false)
    })
    await signOut(page)
    await page.getByRole("button", { name: "Use a passkey" }).click()
    await dashboard(page)
    await page.getByRole("button", { name: /account of dan/ }).waitFor()
    await page.reload()
    await dashboard(page)
    await page.getByRole("button", { name: /account of dan/ }).click()
    await page.getByRole("menuitem", { name: "Sign out" }).click()
    // The browser offers the passkey in the field, and its owner takes it.
    await dashboard(page)
  })

  it("lets nobody on who was given a password before he has chosen his own", async () => {
    const { page, enrolled } = await enrol("eva")
    await signOut(page)
    await world.query("update users set must_change_password = true where username = 'eva'")
    await typePassword(page, "eva", password)
    await page.getByLabel("Code from the authenticator app").fill(await enrolled.app.code())
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Choose your password" }).waitFor()
    await page.getByLabel("New password", { exact: true }).fill("password")
    await page.getByRole("button", { name: "Change password and continue" }).click()
    await page.getByRole("alert").waitFor()
    const own = "a long walk beside the quiet harbour"
    await page.getByLabel("New password", { exact: true }).fill(own)
    await page.getByRole("button", { name: "Change password and continue" }).click()
    await dashboard(page)
    await signOut(page)
    await typePassword(page, "eva", own)
    await page.getByRole("heading", { name: "Second factor" }).waitFor()
  })

  it("says how long to wait after too many wrong passwords, and counts down", async () => {
    const page = await open()
    await typePassword(page, "nobody", "not the password at all")
    await page.getByRole("alert").waitFor()
    await world.query("update sign_in_failures set blocked_until = now() + interval '20 seconds'")
    await page.getByLabel("Password", { exact: true }).fill("not the password at all")
    await page.keyboard.press("Enter")
    const button = page.getByRole("button", { name: /^Try again in \d+ s$/ })
    await button.waitFor()
    expect(await button.isDisabled()).toBe(true)
    const left = async () => Number(/\d+/.exec((await button.textContent()) ?? "")?.[0])
    const first = await left()
    // Everybody else at this address waits too.
    await world.query("delete from sign_in_failures")
    await expect.poll(left, { timeout: 10_000 }).toBeLessThan(first)
  })

  it("closes the live page of a session that was ended elsewhere, within five seconds", async () => {
    const { page } = await enrol("fay")
    await page.getByText("Live", { exact: true }).first().waitFor()
    const { cookie } = await web.signInAs("fay")
    const other = await browser.newContext({ ignoreHTTPSErrors: true })
    const [name = "", value = ""] = cookie.split("=")
    await other.addCookies([{ name, value, url: web.origin, secure: true, httpOnly: true, sameSite: "Strict" }])
    const second = await other.newPage()
    await second.goto(`${web.origin}/account`)
    await second.getByRole("button", { name: "End all others" }).click()
    await second.getByText("1 session ended").waitFor()
    const ended = Date.now()
    await page.getByText("Your session was ended").waitFor({ timeout: 5_000 })
    expect(Date.now() - ended).toBeLessThan(5_000)
    await page.getByRole("heading", { name: "Sign in" }).waitFor()
    await other.close()
  })
})
