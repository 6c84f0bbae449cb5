/** One's own account in a real browser: fresh proof before a change, factors, API tokens, and what accessibility rules say. */
import { join } from "node:path"
import { AxeBuilder } from "@axe-core/playwright"
import { Effect } from "effect"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createUser } from "#http/server/createUser.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { openBrowser } from "./openBrowser.ts"
import { dashboard, type Enrolled, enrolTotp, typePassword } from "./signIn.ts"
import { addAuthenticator } from "./virtualAuthenticator.ts"

const consoleDirectory = join(import.meta.dirname, "..", "..", ".build", "console")
const password = "correct horse battery staple"

let world: World
let web: Web
let browser: Browser
let page: Page
let enrolled: Enrolled
const complaints: Array<string> = []

/** As if the last proof were long ago. */
const growStale = (): Promise<unknown> => world.query("update sessions set stepped_up_at = null")

const openAccount = async (): Promise<void> => {
  await page.goto(`${web.origin}/account`)
  await page.getByText(/codes? left/).waitFor()
}

const confirm = async (): Promise<void> => {
  const dialog = page.getByRole("dialog", { name: "Confirm that it is you" })
  await dialog.getByLabel("Code from the authenticator app").fill(await enrolled.app.code())
  await page.keyboard.press("Enter")
  await dialog.waitFor({ state: "hidden" })
}

beforeAll(async () => {
  world = await makeWorld({ count: 0, seed: 4 })
  web = await startWeb(world, consoleDirectory)
  await world.run(Effect.asVoid(createUser({ username: "gil", displayName: "Gil Amsel", role: "operator", password })))
  await world.query(
    `with made as (insert into groups (id, name, description) values (gen_random_uuid(), 'branch offices', '') returning id)
     insert into user_groups (user_id, group_id) select u.id, made.id from made, users u where u.username = 'gil'`
  )
  browser = await openBrowser()
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  page = await context.newPage()
  page.setDefaultTimeout(20_000)
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.text()} ${message.location().url}`)
  })
  page.on("pageerror", (error) => complaints.push(error.message))
  await page.goto(`${web.origin}/`)
  await typePassword(page, "gil", password)
  enrolled = await enrolTotp(page)
  await dashboard(page)
})
afterAll(async () => {
  await browser?.close()
  await web?.stop()
  await world?.stop()
})

describe("the account page in a real browser", () => {
  it("asks for a second factor again before it makes an API token, bounds it to a group and shows it once", async () => {
    await openAccount()
    await growStale()
    await page.getByRole("button", { name: "Make API token…" }).click()
    const form = page.getByRole("dialog", { name: "Make API token" })
    await form.getByLabel("Name", { exact: true }).fill("nightly report")
    await form.getByLabel("branch offices").check()
    await form.getByLabel("hosts:read").check()
    expect(await form.getByLabel("account:change").count()).toBe(0)
    // What was done with the stale session is remembered for up to two seconds.
    await expect
      .poll(
        async () => {
          if (await page.getByRole("dialog", { name: "Confirm that it is you" }).isVisible()) return "asked"
          await form.getByRole("button", { name: "Make API token" }).click()
          await page.getByText(/Confirm that it is you|shown once/).waitFor()
          return "clicked"
        },
        { timeout: 10_000 }
      )
      .toBe("asked")
    await confirm()
    const token = await page.getByText(/^lpm_/).textContent()
    const answer = await page.request.get(`${web.origin}/api/v1/hosts`, {
      headers: { authorization: `Bearer ${token ?? ""}` }
    })
    expect(answer.status()).toBe(200)
    const [stored] = await world.query<{ names: ReadonlyArray<string> }>(
      "select array(select name from groups where id = any(group_ids)) as names from api_tokens where name = 'nightly report'"
    )
    expect(stored?.names).toEqual(["branch offices"])
    await page.getByRole("button", { name: "Done" }).click()
    expect(await page.getByText(/^lpm_/).count()).toBe(0)
    await page.getByRole("button", { name: "Revoke API token nightly report…" }).click()
    await page.getByRole("button", { name: "Revoke API token", exact: true }).click()
    await page.getByText("API token nightly report revoked").waitFor()
  })

  it("adds a passkey, removes it, and keeps the last second factor", async () => {
    await openAccount()
    const authenticator = await addAuthenticator(page)
    await page.getByRole("button", { name: "Add passkey…" }).click()
    await page.getByRole("dialog").getByLabel("Name").fill("blue key")
    await page.getByRole("dialog").getByRole("button", { name: "Add passkey" }).click()
    await page.getByText("Passkey blue key added").waitFor()
    expect(await authenticator.passkeys()).toBe(1)
    await page.getByRole("button", { name: "Remove passkey blue key…" }).click()
    await page.getByRole("button", { name: "Remove passkey", exact: true }).click()
    await page.getByText("Passkey blue key removed").waitFor()
    await page.getByRole("button", { name: "Remove authenticator app…" }).click()
    await page.getByRole("button", { name: "Remove app" }).click()
    await page.getByRole("dialog").getByRole("alert").waitFor()
    await page.getByRole("button", { name: "Cancel" }).click()
    await page.getByText("Added", { exact: false }).first().waitFor()
  })

  it("says why the browser refuses passkeys, and how to make it trust the manager", async () => {
    await openAccount()
    // What Chromium answers on a page whose certificate it does not trust; the one of tests lets such pages pass.
    await page.evaluate(() => {
      navigator.credentials.create = () =>
        Promise.reject(
          new DOMException("WebAuthn is not supported on sites with TLS certificate errors.", "NotAllowedError")
        )
    })
    await page.getByRole("button", { name: "Add passkey…" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "Add passkey" }).click()
    await page.getByText("This browser does not trust the manager's certificate").waitFor()
    const file = page.getByRole("link", { name: "download root.crt" })
    const answer = await page.request.get(new URL((await file.getAttribute("href")) ?? "", web.origin).href)
    expect(await answer.text()).toBe(web.caPem)
    await page.keyboard.press("Escape")
  })

  it.each(["light", "dark"] as const)("has nothing that accessibility rules forbid, %s", async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await openAccount()
    const violations = async () =>
      (await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0]?.html])
    expect(await violations()).toEqual([])
    await page.getByRole("button", { name: "Make API token…" }).click()
    expect(await violations()).toEqual([])
    await page.keyboard.press("Escape")
    const other = await browser.newContext({ ignoreHTTPSErrors: true, colorScheme })
    const signIn = await other.newPage()
    await signIn.goto(`${web.origin}/`)
    await signIn.getByRole("heading", { name: "Sign in" }).waitFor()
    const { violations: outside } = await new AxeBuilder({ page: signIn }).analyze()
    expect(outside.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([])
    await other.close()
  })

  it("runs under its content security policy without a complaint", () => {
    expect(complaints.filter((text) => !/status of (401|403|409)/.test(text))).toEqual([])
  })
})
