import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AxeBuilder } from "@axe-core/playwright"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildDeb, installInto, installedVersion, makeRoot, updateLists, writePackages } from "#test/fleet/aptRoot.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { openBrowser } from "./openBrowser.ts"
import { dashboard, enrolTotp, typePassword } from "./signIn.ts"

const consoleDirectory = join(import.meta.dirname, "..", "..", ".build", "console")
const address = "127.77.201.1"

describe("the console in a real browser", () => {
  let world: World
  let web: Web
  let browser: Browser
  let page: Page
  let folder: string
  let root: string
  let aptHost: string
  const complaints: Array<string> = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "e2e-"))
    root = join(folder, "root")
    const repo = join(folder, "repo")
    await makeRoot(root, repo)
    await buildDeb(repo, { name: "demo-tool", version: "1.0" })
    await writePackages(repo)
    await updateLists(root)
    await installInto(root, "demo-tool", "1.0")
    await buildDeb(repo, { name: "demo-tool", version: "2.0" })
    await writePackages(repo)
    world = await makeWorld({ count: 12, seed: 4, timing: { jobMs: [800, 1_200], rebootMs: [2_000, 2_500] } })
    web = await startWeb(world, consoleDirectory)
    await world.startWorker({ tuning: { calm_ms: 500 } })
    world.fleet.addHost({ address, fqdn: "apt-01.example.test", profile: "2.5.5", apt: { root, repo } })
    const host = await web.call<{ id: string }>("POST", "/api/v1/hosts", {
      address,
      display_name: "apt-01",
      agent_port: world.fleet.port
    })
    aptHost = host.id
    world.fleet.setIdentity(address, await web.call("POST", `/api/v1/hosts/${aptHost}/certificate`))
    await web.call("POST", `/api/v1/hosts/${aptHost}/refresh`)
    await until(
      () => web.call<{ pending: number | null }>("GET", `/api/v1/hosts/${aptHost}`),
      (seen) => seen.pending === 1,
      20_000
    )
    browser = await openBrowser()
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
    page = await context.newPage()
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(`${message.text()} ${message.location().url}`)
    })
    page.on("pageerror", (error) => complaints.push(error.message))
    await page.goto(`${web.origin}/`)
    await typePassword(page, "admin", web.password)
    await enrolTotp(page)
    await dashboard(page)
  })
  afterAll(async () => {
    await browser?.close()
    await web?.stop()
    await world?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it("patches a real package with Apply now and shows what dpkg then says", async () => {
    await page.goto(`${web.origin}/hosts/${aptHost}`)
    await page.getByRole("button", { name: /Apply now/ }).click()
    await page.getByRole("button", { name: "Apply on 1 host" }).click()
    await page.waitForURL(/\/jobs\//)
    await page.getByText("Succeeded").first().waitFor({ timeout: 30_000 })
    expect(await installedVersion(root, "demo-tool")).toBe("2.0")
    expect(world.fleet.readLedger(address).filter((entry) => entry.operation === "patchapply")).toHaveLength(1)
    await page.goto(`${web.origin}/hosts/${aptHost}/packages`)
    const row = page.getByRole("row").filter({ hasText: "demo-tool" })
    await row.getByText("2.0").waitFor()
  })

  it("moves the active state within a second when an agent reboots", async () => {
    const host = world.hosts.find((one) => one.view.profile === "2.7")!
    await page.goto(`${web.origin}/hosts/${host.id}`)
    await page.locator('[data-state="idle"][data-active]').filter({ visible: true }).waitFor()
    await web.call("POST", "/api/v1/jobs", { kind: "reboot", when: { kind: "immediate" }, host_ids: [host.id] })
    await until(
      () => world.query<{ work: string }>("select work from host_snapshots where host_id = $1", [host.id]),
      (rows) => rows[0]!.work === "rebooting.away",
      20_000
    )
    const moved = Date.now()
    await page.locator('[data-state="away"][data-active]').filter({ visible: true }).waitFor({ timeout: 2_000 })
    expect(Date.now() - moved).toBeLessThan(1_000)
    await page.locator('[data-state="idle"][data-active]').filter({ visible: true }).waitFor({ timeout: 30_000 })
  })

  it.each([
    ["dashboard", "/"],
    ["hosts", "/hosts"],
    ["host", "host"],
    ["host patches", "host/patches"],
    ["jobs", "/jobs"]
  ] as const)("has nothing that accessibility rules forbid on %s, in both themes", async (_name, path) => {
    const target = path.replace(/^host/, `/hosts/${aptHost}`)
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme })
      await page.goto(`${web.origin}${path.startsWith("/") ? path : target}`)
      await page.getByRole("heading", { level: 1 }).waitFor()
      await page.waitForLoadState("networkidle").catch(() => undefined)
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map((violation) => [violation.id, violation.nodes[0]?.html])).toEqual([])
    }
  })

  it("runs under its content security policy without a complaint", () => {
    // Nobody is signed in when the page first opens, so the first renewal of the session is refused.
    expect(complaints.filter((text) => !text.includes("401 (Unauthorized)"))).toEqual([])
  })
})
