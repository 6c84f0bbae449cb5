/** Signing in through a real identity provider, from the console's button back to the page one wanted. */
import { join } from "node:path"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type OidcProvider, startOidcProvider } from "#test/harness/oidcProvider.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { openBrowser } from "./openBrowser.ts"

const consoleDirectory = join(import.meta.dirname, "..", "..", ".build", "console")

let world: World
let web: Web
let browser: Browser
let oidc: OidcProvider

beforeAll(async () => {
  world = await makeWorld({ count: 0, seed: 4 })
  web = await startWeb(world, consoleDirectory)
  oidc = await startOidcProvider({
    redirectUris: [],
    people: {
      hana: { name: "Hana Sato", preferred_username: "hana", groups: ["ops"], amr: ["pwd", "otp"] },
      ivo: { name: "Ivo Berg", preferred_username: "ivo", groups: ["ops"], amr: ["pwd"] },
      jan: { name: "Jan Nobody", preferred_username: "jan", groups: [], amr: ["pwd", "otp"] }
    }
  })
  const made = await web.call<{ id: string; redirect_uri: string; version: number }>("POST", "/api/v1/sso/providers", {
    name: "Corp SSO",
    kind: "oidc",
    issuer: oidc.issuer,
    client_id: oidc.client.id,
    client_secret: oidc.client.secret,
    ca_certificate: oidc.ca,
    mappings: [{ provider_group: "ops", role: "operator", group_ids: [] }]
  })
  oidc.addRedirectUri(made.redirect_uri)
  await web.call("PATCH", `/api/v1/sso/providers/${made.id}`, { enabled: true }, { "if-match": `"${made.version}"` })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await oidc?.stop()
  await web?.stop()
  await world?.stop()
})

const goThrough = async (person: string) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(`${web.origin}/jobs?state=running`)
  await page.getByRole("link", { name: "Continue with Corp SSO" }).click()
  await page.getByRole("heading", { name: "Who are you?" }).waitFor()
  await page.getByRole("button", { name: person }).click()
  return { page, close: () => context.close() }
}

describe("signing in through an identity provider in a real browser", () => {
  it("comes back to the page one wanted, signed in", async () => {
    const { page, close } = await goThrough("Hana Sato")
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor()
    expect(page.url()).toBe(`${web.origin}/jobs?state=running`)
    await page.getByRole("button", { name: "account of Hana Sato" }).waitFor()
    await close()
  })

  it("asks for a second factor where the provider does not say that there was one", async () => {
    const { page, close } = await goThrough("Ivo Berg")
    await page.getByRole("heading", { name: "Set up a second factor" }).waitFor()
    await close()
  })

  it("says why somebody without a role is not let in", async () => {
    const { page, close } = await goThrough("Jan Nobody")
    await page.getByRole("alert").getByText("None of your groups gives you a role here").waitFor()
    expect(page.url()).not.toContain("sso_error")
    await close()
  })
})
