/** Markup in what hosts, agents and people say: put into the database as it is, past every check, and looked at in a real browser. */
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, expect } from "vitest"
import { takeSession } from "#test/e2e/signIn.ts"
import { openBrowser } from "#test/e2e/openBrowser.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { scriptPayloads } from "./scriptPayloads.ts"
import { securityRow } from "./securityRow.ts"

const consoleDirectory = join(import.meta.dirname, "..", "..", ".build", "console")

let world: World
let web: Web
let browser: Browser
let page: Page
/** Handlers that ran, dialogs, reports of the policy, and requests for what only a payload names. */
const hits: Array<string> = []

beforeAll(async () => {
  world = await makeWorld({ count: 1, seed: 4 })
  web = await startWeb(world, consoleDirectory)
  browser = await openBrowser()
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 4000 } })
  await takeSession(context, web)
  page = await context.newPage()
  page.setDefaultTimeout(20_000)
  await page.exposeFunction("hit", () => void hits.push(`a handler ran at ${page.url()}`))
  await page.exposeFunction("reported", (what: string) => void hits.push(`policy: ${what}`))
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      const { reported } = window as unknown as { reported: (what: string) => void }
      reported(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`)
    })
  })
  page.on("dialog", (dialog) => {
    hits.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on("request", (request) => {
    if (/evil|\/x$/.test(request.url())) hits.push(`request: ${request.url()}`)
  })
})
afterAll(async () => {
  await browser?.close()
  await web?.stop()
  await world?.stop()
})

const bare = (text: string): string => text.replace(/\s+/g, "")

/** The page's words and the titles that stand over them; lines break where they like. */
const seen = async (): Promise<string> => {
  const main = page.locator("main")
  const titles = await main.locator("[title]").evaluateAll((all) => all.map((one) => one.getAttribute("title")))
  return bare([await main.innerText(), ...titles].join(" "))
}

/** Each payload stands on the page as it was written. */
const showsAll = async (path: string, wait: string): Promise<void> => {
  await page.goto(`${web.origin}${path}`)
  await page.locator("main").getByText(wait).first().waitFor()
  await expect
    .poll(
      async () => {
        const text = await seen()
        return scriptPayloads.filter((payload) => !text.includes(bare(payload)))
      },
      { timeout: 10_000 }
    )
    .toEqual([])
}

securityRow("S73", "script payloads in names, descriptions and output", async (row) => {
  const [host] = world.hosts
  const id = host!.id
  expect(new Set(scriptPayloads).size).toBe(50)
  const patches = scriptPayloads.map((payload, n) => ({
    name: `package-${n}`,
    current_version: "1.0",
    available_version: "1.1",
    severity: "low",
    security: false,
    requires_reboot: false,
    description: payload,
    cve_ids: []
  }))
  await world.query(
    `insert into host_patch_data (host_id, patches, pending, security, content_hash) values ($1, $2, 50, 0, '\\x00')
     on conflict (host_id) do update set patches = excluded.patches, pending = 50`,
    [id, JSON.stringify(patches)]
  )
  const job = await web.call<{ id: string }>("POST", "/api/v1/jobs", {
    kind: "reboot",
    when: { kind: "immediate" },
    host_ids: [id]
  })
  await world.query("update patch_job_hosts set log = $2 where job_id = $1", [job.id, JSON.stringify(scriptPayloads)])
  for (const [n, payload] of scriptPayloads.entries()) {
    const address = `127.9.9.${n + 1}`
    const made = await web.call<{ id: string }>("POST", "/api/v1/hosts", { address, display_name: address })
    await world.query("update hosts set display_name = $2 where id = $1", [made.id, payload])
    await world.query(
      "insert into users (id, username, display_name, role) values (gen_random_uuid(), lower($1), $2, 'operator')",
      [`${n} ${payload}`.slice(0, 64), payload]
    )
  }
  await row.assert("user name = 50 script payloads → shown as text", () => showsAll("/users", "onerror"))
  await row.assert("package description = 50 script payloads → shown as text", () =>
    showsAll(`/hosts/${id}/patches`, "package-0")
  )
  await row.assert("job output = 50 script payloads → shown as text", () => showsAll(`/jobs/${job.id}`, "onerror"))
  await row.assert("host name = 50 script payloads → shown as text", () => showsAll("/hosts", "onerror"))
  await row.assert("in all pages", async () => {
    await world.query("update hosts set display_name = $2 where id = $1", [id, scriptPayloads[2]])
    await world.query("update users set display_name = $1 where username = 'admin'", [scriptPayloads[2]])
    const tabs = ["", "/overview", "/packages", "/patches", "/jobs", "/windows", "/policy", "/certificate"]
    const plain =
      "/ /hosts /groups /holds /windows /windows/simulate /discovery /enrolments /jobs /users /security/sessions " +
      "/security/tokens /security/sso /network /audit /settings /account"
    const paths = plain.split(" ").concat(
      `/deploy?host=${id}`,
      `/jobs/${job.id}`,
      tabs.map((tab) => `/hosts/${id}${tab}`)
    )
    for (const path of paths) {
      await page.goto(`${web.origin}${path}`)
      await page.getByRole("heading", { level: 1 }).waitFor()
      await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => undefined)
      expect(
        await page.locator("main script, main iframe, main object, main embed, main base, main [onerror]").count()
      ).toBe(0)
    }
  })
  await row.assert("CSP report count 0, nothing ran, nothing was fetched", () => expect(hits).toEqual([]))
  row.missing("mail and PDF", "reports and mails are not made yet")
})
