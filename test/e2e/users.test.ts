/** Users, sessions and API tokens in a real browser. */
import { join } from "node:path"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { openBrowser } from "./openBrowser.ts"
import { takeSession } from "./signIn.ts"

const consoleDirectory = process.env["CONSOLE_DIR"] ?? join(import.meta.dirname, "..", "..", ".build", "console")

describe("users in a real browser", () => {
  let world: World
  let web: Web
  let browser: Browser
  let page: Page
  const complaints: Array<string> = []

  beforeAll(async () => {
    world = await makeWorld({ count: 2, seed: 5 })
    web = await startWeb(world, consoleDirectory)
    const idempotent = (key: string) => ({ "idempotency-key": key })
    const group = await web.call<{ id: string }>("POST", "/api/v1/groups", { name: "Databases" }, idempotent("g"))
    await web.call(
      "POST",
      "/api/v1/hosts",
      { address: "127.99.0.1", display_name: "db-1", group_ids: [group.id] },
      idempotent("h")
    )
    for (const [username, display_name, role] of [
      ["ann", "Ann Archer", "operator"],
      ["audrey", "Audrey Ames", "auditor"]
    ] as const) {
      const body = { username, display_name, role, group_ids: [group.id], email: `${username}@example.org` }
      await web.call("POST", "/api/v1/users", body, idempotent(username))
    }
    await web.signInAs("ann")
    browser = await openBrowser()
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
    await takeSession(context, web)
    page = await context.newPage()
    // As on an old laptop: a page that is left stays for a while, and must not ask for what it has just deleted.
    await (await context.newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: 6 })
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(`${message.text()} ${message.location().url}`)
    })
    page.on("pageerror", (error) => complaints.push(error.message))
  })
  afterAll(async () => {
    await browser?.close()
    await web?.stop()
    await world?.stop()
  })

  const shot = async (name: string): Promise<void> => {
    const folder = process.env["SHOTS"]
    if (folder === undefined) return
    for (const scheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: scheme })
      await page.screenshot({ path: join(folder, `${name}-${scheme}.png`) })
    }
    await page.setViewportSize({ width: 390, height: 844 })
    await page.screenshot({ path: join(folder, `${name}-phone.png`) })
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.emulateMedia({ colorScheme: "light" })
  }

  it("lists everybody, filtered by the address", async () => {
    await page.goto(`${web.origin}/users`)
    await page.getByRole("link", { name: "Ann Archer" }).waitFor()
    await shot("users")
    await page.getByLabel("Filter users by name or mail address").fill("audrey")
    await expect.poll(() => page.getByRole("link", { name: "Ann Archer" }).count()).toBe(0)
    expect(page.url()).toContain("q=audrey")
    await page.goto(`${web.origin}/users?show=operator&sort=-last_sign_in`)
    await page.getByRole("link", { name: "Ann Archer" }).waitFor()
    expect(await page.getByRole("link", { name: "Audrey Ames" }).count()).toBe(0)
  })

  it("adds a user and says the first password once", async () => {
    await page.goto(`${web.origin}/users`)
    await page.getByRole("button", { name: "Add user" }).click()
    await page.getByLabel("User name").fill("dora")
    await page.getByLabel("Display name").fill("Dora Dale")
    await page.getByLabel("Databases").check()
    await shot("new-user")
    await page.getByRole("dialog").getByRole("button", { name: "Add user" }).click()
    const password = page.getByTestId("temporary-password")
    await password.waitFor()
    expect(await password.textContent()).toMatch(/^([a-z2-9]{4}-){4}[a-z2-9]{4}$/)
    await shot("password-once")
    await page.keyboard.press("Escape")
    expect(await password.count()).toBe(1)
    await page.getByRole("button", { name: "I have passed it on" }).click()
    await page.getByRole("heading", { level: 1, name: "Dora Dale" }).waitFor()
    await shot("user")
  })

  it("changes, disables and deletes it", async () => {
    await page.getByLabel("Role").selectOption("auditor")
    await page.getByRole("button", { name: "Change account" }).click()
    await page.getByText("dora changed").waitFor()
    const act = async (item: string) => {
      await page.getByRole("button", { name: "More actions" }).click()
      await page.getByRole("menuitem", { name: item }).click()
    }
    await act("Disable account…")
    await page.getByRole("button", { name: "Disable account" }).click()
    await page.getByText("Disabled", { exact: true }).waitFor()
    await act("Enable account")
    await page.getByText("dora is enabled").waitFor()
    await act("Reset second factors…")
    await shot("reset-factors")
    await page.getByRole("button", { name: "Reset second factors" }).click()
    await page.getByText("0 second factors removed, 0 sessions ended").waitFor()
    await act("Reset password…")
    await page.getByRole("button", { name: "Reset password" }).click()
    await page.getByTestId("temporary-password").waitFor()
    await page.getByRole("button", { name: "I have passed it on" }).click()
    await act("Delete user…")
    const button = page.getByRole("button", { name: "Delete user" })
    expect(await button.isDisabled()).toBe(true)
    await page.getByLabel("Type dora to delete the account").fill("dora")
    await shot("delete-user")
    await button.click()
    await page.waitForURL(/\/users$/)
    await expect.poll(() => page.getByRole("link", { name: "Dora Dale" }).count()).toBe(0)
  })

  it("shows everybody's sessions and ends one", async () => {
    await page.goto(`${web.origin}/security/sessions`)
    await page.getByRole("link", { name: "ann" }).waitFor()
    await shot("sessions")
    await page.getByRole("button", { name: "End session of ann" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "End session" }).click()
    await expect.poll(() => page.getByRole("link", { name: "ann" }).count()).toBe(0)
  })

  it("shows everybody's API tokens and revokes one", async () => {
    await web.call(
      "POST",
      "/api/v1/tokens",
      { name: "nightly report", permissions: ["hosts:read"], expires_in_days: 7 },
      { "idempotency-key": "t" }
    )
    await page.goto(`${web.origin}/security/tokens`)
    await page.getByText("nightly report").waitFor()
    await shot("tokens")
    await page.getByRole("button", { name: "Revoke nightly report" }).click()
    await page.getByRole("button", { name: "Revoke token" }).click()
    await page.getByText("Revoked", { exact: true }).waitFor()
  })

  it("names what a group's deletion opens, and wants its name typed", async () => {
    await page.goto(`${web.origin}/groups`)
    await page.getByRole("link", { name: "Databases" }).click()
    await page.getByRole("button", { name: "More actions" }).click()
    await page.getByRole("menuitem", { name: "Delete group…" }).click()
    await page.getByText("1 host is in no other group").waitFor()
    const button = page.getByRole("button", { name: "Delete group" })
    expect(await button.isDisabled()).toBe(true)
    await page.getByLabel("Type Databases to delete it").fill("Databases")
    await shot("delete-group")
    await button.click()
    await page.waitForURL(/\/groups$/)
  })

  it("asks who is there where the proof is too old, and changes nothing without", async () => {
    await world.run(
      Effect.asVoid(
        Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`update sessions set stepped_up_at = null where ended_at is null`
        )
      )
    )
    await page.goto(`${web.origin}/users`)
    await page.getByRole("link", { name: "Audrey Ames" }).click()
    await page.getByLabel("Display name").fill("Audrey Adams")
    await page.getByRole("button", { name: "Change account" }).click()
    await page.getByRole("heading", { name: "Confirm that it is you" }).waitFor()
    await shot("step-up")
    await page.getByRole("button", { name: "Cancel" }).click()
    await page.getByText("Nothing was changed, because you did not confirm that it is you.").waitFor()
  })

  it("hides what the auditor may not do", async () => {
    const { cookie } = await web.signInAs("audrey")
    await world.run(
      Effect.asVoid(
        Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`update users set must_change_password = false where username = 'audrey'`
        )
      )
    )
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
    await takeSession(context, { origin: web.origin, cookie })
    const reader = await context.newPage()
    await reader.goto(`${web.origin}/users`)
    await reader.getByRole("link", { name: "Ann Archer" }).click()
    await reader.getByRole("heading", { level: 1, name: "Ann Archer" }).waitFor()
    expect(await reader.getByRole("button", { name: "Change account" }).count()).toBe(0)
    expect(await reader.getByRole("button", { name: "More actions" }).count()).toBe(0)
    await context.close()
  })

  it("had no complaint of the browser's", () => {
    expect(complaints.filter((text) => !text.includes("403"))).toEqual([])
  })
})
