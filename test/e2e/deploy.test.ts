/** Jobs as a person orders them, on the whole product: what is planned, waited for, paused, held and tried again is what happens. */
import { join } from "node:path"
import { AxeBuilder } from "@axe-core/playwright"
import type { Browser, Locator, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World, type WorldHost } from "#test/harness/World.ts"
import { openBrowser } from "./openBrowser.ts"
import { dashboard, takeSession } from "./signIn.ts"

const consoleDirectory = join(import.meta.dirname, "..", "..", ".build", "console")
const MINUTE = 60_000
const desk = { width: 1440, height: 900 }
const phone = { width: 390, height: 844 }
const SOON = { timeout: 30_000 }

let world: World
let web: Web
let browser: Browser
let page: Page

beforeAll(async () => {
  world = await makeWorld({ count: 8, seed: 4, profileMix: { "2.7": 1 }, timing: { jobMs: [800, 1_200] } })
  for (const host of world.hosts) world.fleet.publish(host.address)
  web = await startWeb(world, consoleDirectory)
  await world.startWorker({ tuning: { calm_ms: 300 } })
  await until(
    () => world.query<{ read: number }>("select count(*)::int as read from host_patch_data"),
    (rows) => rows[0]!.read === world.hosts.length,
    30_000
  )
  browser = await openBrowser()
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: desk })
  page = await context.newPage()
  page.setDefaultTimeout(20_000)
  await takeSession(context, web)
  await page.goto(`${web.origin}/`)
  await dashboard(page)
})
afterAll(async () => {
  await browser?.close()
  await web?.stop()
  await world?.stop()
})

const at = (place: number): WorldHost => world.hosts[place]!
const name = (host: WorldHost): string => host.view.fqdn
const pending = async (host: WorldHost) => (await world.fleet.truth(host.address)).pending
const applied = (host: WorldHost) =>
  world.fleet.readLedger(host.address).filter((entry) => entry.operation === "patchapply")
const open = async (path: string): Promise<void> => {
  await page.goto(`${web.origin}${path}`)
  await page.getByRole("heading", { level: 1 }).waitFor()
}
const row = (host: WorldHost): Locator => page.getByRole("row").filter({ hasText: name(host) })
const shareState = (host: WorldHost, word: string): Promise<void> =>
  row(host).locator("td").nth(1).getByText(word, { exact: true }).waitFor(SOON)
const planByHost = async (): Promise<Locator> => {
  await page.getByRole("button", { name: "By host" }).click()
  return page.getByRole("group", { name: "The plan" })
}
const jobState = (word: string): Promise<void> => page.locator(".idline").getByText(word, { exact: true }).waitFor(SOON)
const confirm = async (words: string): Promise<string> => {
  await page.getByRole("button", { name: words }).click()
  await page.waitForURL(/\/jobs\//)
  return new URL(page.url()).pathname
}

/** What a person ordered for the window that opens soon; looked at again when it has opened. */
const waiting = { opens: 0, job: "" }

describe("a job in a real browser", () => {
  it("waits for a window that opens soon, and says so on its page and on the host's", async () => {
    const host = at(2)
    // Windows open at whole minutes: at least so long that what waits can be looked at.
    waiting.opens = Math.ceil((Date.now() + 25_000) / MINUTE) * MINUTE
    const opens = new Date(waiting.opens).toISOString()
    await web.call("POST", "/api/v1/windows", {
      name: "soon",
      kind: "open",
      scope: { kind: "host", host_id: host.id },
      rule: { kind: "once", starts_on_local: opens.slice(0, 16) },
      time_zone: "UTC",
      duration_minutes: 60
    })
    await open(`/deploy?host=${host.id}`)
    await page.getByText("1 host, first at").waitFor()
    const clock = `${opens.slice(11, 19)} UTC`
    await (await planByHost()).getByText(`Waits for its window at ${clock}`).waitFor()
    waiting.job = await confirm("Queue the job")
    await jobState("Waiting")
    await row(host).getByText(`Waits for its window at ${clock}`).waitFor()
    await open(`/hosts/${host.id}/patches`)
    const why = `waits for “soon”, which opens at ${opens.slice(0, 10)} ${opens.slice(11, 16)} UTC.`
    await page.getByRole("status").filter({ hasText: why }).waitFor()
    const patch = (await pending(host))[0]!
    await page.getByRole("row").filter({ hasText: patch.name }).getByText(why).waitFor()
    expect(applied(host)).toEqual([])
  })

  it("is planned for two hosts from the list with the versions that the hosts offer, and does what was planned", async () => {
    const hosts = [at(0), at(1)]
    const offered = new Map<string, string>()
    for (const host of hosts) {
      const lines = (await pending(host)).map(({ available, current, name }) => `${name} ${current} → ${available}`)
      offered.set(name(host), lines.toSorted().join("\n"))
    }
    await open("/hosts")
    for (const host of hosts) await page.getByLabel(`Select ${name(host)}`).check()
    await page.getByRole("button", { name: "Plan a job…" }).click()
    await page.getByRole("heading", { level: 1, name: "Deploy" }).waitFor()
    const names = new Set((await Promise.all(hosts.map(pending))).flat().map(({ name }) => name))
    const byPackage = page.getByRole("group", { name: "The plan" })
    await byPackage.getByRole("row").nth(names.size).waitFor()
    expect(new Set((await byPackage.locator("tbody td:first-child").allTextContents()).toSorted())).toEqual(names)
    await page.getByRole("radio", { name: /^Now/ }).check()
    await page.getByText("2 hosts, now").waitFor()
    const plan = await planByHost()
    for (const host of hosts) {
      const changes = plan
        .getByRole("row")
        .filter({ hasText: name(host) })
        .locator("td")
        .nth(1)
      const lines = ((await changes.getAttribute("title")) ?? "").split("\n").toSorted()
      expect(lines.join("\n")).toBe(offered.get(name(host)))
    }
    expect([...applied(at(0)), ...applied(at(1))]).toEqual([])
    await confirm("Start now")
    await jobState("Succeeded")
    await page.getByText("2 of 2 hosts done").waitFor()
    for (const host of hosts) {
      expect(applied(host)).toHaveLength(1)
      expect(await pending(host)).toEqual([])
    }
  })

  it("starts nothing while it is paused, goes on afterwards, and is tried again on the host that failed", async () => {
    const hosts = [at(3), at(4)]
    for (const host of hosts) world.fleet.misbehave(host.address, { kind: "hold", at: "before_change", times: 1 })
    await open(`/deploy?${hosts.map(({ id }) => `host=${id}`).join("&")}`)
    await page.getByRole("radio", { name: /^Now/ }).check()
    await page.getByLabel("At once").fill("1")
    await page.getByText("2 hosts, now").waitFor()
    await confirm("Start now")
    const [first] = await until(
      () => hosts.filter((host) => world.fleet.view(host.address).holding),
      (holding) => holding.length === 1,
      20_000
    )
    const second = hosts.find((host) => host !== first)!
    // A host is tried twice before it counts as failed.
    world.fleet.misbehave(second.address, { kind: "fail_job", times: 2 })
    await page.getByRole("button", { name: "Pause starts" }).click()
    await page.getByText("Paused by admin: what was started runs to its end").waitFor()
    world.fleet.release(first!.address)
    await shareState(first!, "Done")
    await row(second).getByText("Paused by admin").waitFor()
    expect(world.fleet.view(second.address).calls["POST /api/v1/patches/apply"]).toBe(undefined)
    await page.getByRole("button", { name: "Resume" }).click()
    await jobState("Partially failed")
    await shareState(second, "Failed")
    expect(applied(first!)).toHaveLength(1)
    await page.getByRole("button", { name: "Try again…" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByRole("radio", { name: "Now" }).check()
    const before = page.url()
    await dialog.getByRole("button", { name: "Try again on 1 host" }).click()
    await page.waitForURL((url) => url.href !== before)
    await jobState("Succeeded")
    expect(applied(first!)).toHaveLength(1)
    expect(await pending(second)).toEqual([])
    await page.getByRole("link", { name: "The job before" }).waitFor()
  })

  it("leaves a package alone that a person holds on the host, and says why in the plan", async () => {
    const host = at(5)
    const held = (await pending(host))[0]!
    await open(`/hosts/${host.id}/policy`)
    await page.getByRole("button", { name: "Hold packages…" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel("Package").fill(held.name)
    await dialog.getByLabel("Reason").fill("The vendor is asked first.")
    await dialog.getByRole("button", { name: "Hold", exact: true }).click()
    await page.getByRole("row").filter({ hasText: held.name }).waitFor()
    await open(`/deploy?host=${host.id}`)
    const plan = await planByHost()
    await plan.getByText(`${held.name} is held: The vendor is asked first.`).waitFor()
    await page.getByRole("button", { name: "By package" }).click()
    expect(await plan.getByText(held.name, { exact: true }).count()).toBe(0)
    await open(`/hosts/${host.id}/patches`)
    await page.getByRole("row").filter({ hasText: held.name }).getByText(`Held (${held.name}): The vendor`).waitFor()
  })
})

describe("the pages of changes", () => {
  beforeAll(async () => {
    const group = await web.call<{ id: string }>("POST", "/api/v1/groups", { name: "web servers", description: "" })
    await web.call("PUT", `/api/v1/groups/${group.id}/hosts`, { host_ids: [at(6).id] })
    await web.call("POST", "/api/v1/windows", {
      name: "nightly",
      kind: "open",
      scope: { kind: "group", group_id: group.id },
      rule: { kind: "daily", starts_at_local: "02:00" },
      time_zone: "Europe/Berlin",
      duration_minutes: 120,
      auto_apply: {
        selection: { kind: "all" },
        reboot: "if_needed",
        reboot_delay_seconds: 0,
        max_concurrency: 10,
        on_change: "stop"
      }
    })
    await web.call("POST", "/api/v1/enroll", {
      machine_id: "9f2c0b7e1d3a4f5c8e6b7a9d0c1e2f3a",
      fqdn: "new.example.test",
      ip_address: "127.60.0.1",
      os_details: { distro: "Ubuntu", version: "24.04", id_like: "debian", codename: "noble", kernel: "6.8.0" },
      hostname: "new"
    })
    const { version } = await web.call<{ version: number }>("GET", "/api/v1/settings")
    const networks = { discovery_networks: ["127.0.0.0/8"] }
    await web.call("PATCH", "/api/v1/settings", networks, { "if-match": `"${version}"` })
    await web.call("POST", "/api/v1/discovery/cidr", { cidr: "127.77.0.0/30", port: world.fleet.port })
  })

  it.each([
    ["deploy", "/deploy?match=all", "What will happen"],
    ["windows", "/windows", "nightly"],
    ["simulation", "/windows/simulate", "Who is patched when"],
    ["groups", "/groups", "web servers"],
    ["holds", "/holds", "The vendor is asked first."],
    ["discovery", "/discovery", "127."],
    ["enrolments", "/enrolments", "new.example.test"],
    ["settings", "/settings", "Discovery networks"],
    ["job", "job", "Each host in its next window"],
    ["host's policy", "policy", "The vendor is asked first."],
    ["dashboard", "/", "nightly"]
  ] as const)(
    "have nothing that accessibility rules forbid, in both themes, and fit a phone: %s",
    async (_page, path, shows) => {
      const target = { job: waiting.job, policy: `/hosts/${at(5).id}/policy` }[path as string] ?? path
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme })
        await open(target)
        await page.getByText(shows).filter({ visible: true }).first().waitFor()
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
      }
      await page.setViewportSize(phone)
      await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth)
      await page.setViewportSize(desk)
    }
  )

  it("let somebody simulate on a phone: the weeks, what is found, and the days", async () => {
    await page.setViewportSize(phone)
    await open("/windows/simulate")
    const days = page.getByRole("list", { name: "Jobs by day, in UTC" }).getByRole("listitem")
    await days.first().waitFor()
    const four = await days.count()
    await page.getByRole("button", { name: "8 weeks" }).click()
    await page.waitForURL(/weeks=8/)
    await page.waitForFunction(
      (before) => document.querySelectorAll("ol[aria-label^='Jobs by day'] > li").length > before + 20,
      four
    )
    await page.getByText("Which ones, and why").click()
    await page.getByRole("link", { name: name(at(7)) }).waitFor()
    await page.setViewportSize(desk)
  })
})

describe("the window", () => {
  it("opens, and the job that waited for it runs to its end", async () => {
    const host = at(2)
    await open(waiting.job)
    await page
      .locator(".idline")
      .getByText("Succeeded", { exact: true })
      .waitFor({ timeout: 2 * MINUTE })
    expect(applied(host)).toHaveLength(1)
    expect(Date.parse(applied(host)[0]!.at)).toBeGreaterThanOrEqual(waiting.opens)
    expect(await pending(host)).toEqual([])
    await open(`/hosts/${host.id}/patches`)
    await page.getByText("Up to date", { exact: true }).first().waitFor()
  })
})
