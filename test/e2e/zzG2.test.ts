import { Effect } from "effect"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, it } from "vitest"
import { createUser } from "#http/server/createUser.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { openBrowser } from "./openBrowser.ts"
import { dashboard, enrolTotp, typePassword } from "./signIn.ts"

const password = "correct horse battery staple"
let world: World, web: Web, browser: Browser
beforeAll(async () => {
  world = await makeWorld({ count: 0, seed: 4 })
  web = await startWeb(world, "/tmp/w/G/console")
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await web?.stop()
  await world?.stop()
})
it("probe", async () => {
  await world.run(Effect.asVoid(createUser({ username: "mk", displayName: "Maria Keller", role: "admin", password })))
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const page = await context.newPage()
  page.setDefaultTimeout(6_000)
  page.on("console", (m) => console.log("console", m.type(), m.text()))
  page.on("pageerror", (m) => console.log("pageerror", m.message, m.stack))
  page.on("response", (r) => { if (r.request().method() !== "GET") void r.text().then((t) => console.log(r.request().method(), r.url(), r.status(), t.slice(0, 200)), () => undefined) })
  await page.goto(`${web.origin}/`)
  await typePassword(page, "mk", password)
  const { app, recoveryCodes } = await enrolTotp(page)
  await dashboard(page)
  await page.goto(`${web.origin}/account`)
  await page.getByText("Recovery codes").waitFor()
  await world.query("update sessions set stepped_up_at = null")
  await page.waitForTimeout(2500)
  console.log("NOW")
  await page.getByRole("button", { name: "Make new ones…" }).click()
  await page.getByRole("button", { name: "Make new codes" }).click()
  await page.getByText("Confirm that it is you").waitFor()
  await page.getByRole("dialog", { name: "Confirm that it is you" }).getByLabel("Code from").fill(await app.code())
  await page.keyboard.press("Enter")
  await page.waitForTimeout(3000)
  await page.screenshot({ path: "/tmp/w/G/shots/probe1.png" })
  console.log(recoveryCodes[0])
  await page.goto(`${web.origin}/account`)
  await page.getByRole("button", { name: /account of/ }).click()
  await page.getByRole("menuitem", { name: "Sign out" }).click()
  await page.getByRole("heading", { name: "Sign in" }).waitFor()
  await typePassword(page, "mk", password)
  await page.getByRole("button", { name: "Use a recovery code" }).click()
  await page.getByLabel("Recovery code").fill(recoveryCodes[0] ?? "")
  await page.keyboard.press("Enter")
  await page.waitForTimeout(3000)
  await page.screenshot({ path: "/tmp/w/G/shots/probe2.png" })
}, 100_000)
