import { it } from "vitest"
import { startSsoWorld } from "#test/http/ssoWorld.ts"
import { freePort } from "#test/harness/startWeb.ts"
import { startOidcProvider } from "#test/harness/oidcProvider.ts"
import { openBrowser } from "./openBrowser.ts"
it("shots", async () => {
  const port = await freePort()
  const world = await startSsoWorld({ consoleDirectory: "/tmp/w/o/console", port, publicUrl: `https://localhost:${port}` } as never)
  const oidc = await startOidcProvider({ redirectUris: ["https://localhost:8443/unused"], people: { anna: { name: "Anna", preferred_username: "anna", groups: ["admins"], amr: ["mfa"] } } })
  const browser = await openBrowser()
  for (const [scheme, size] of [["light", { width: 1440, height: 900 }], ["dark", { width: 1440, height: 900 }], ["light", { width: 390, height: 844 }]] as const) {
    const name = `${scheme}-${size.width}`
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: size, colorScheme: scheme })
    const { cookie } = await world.web.signIn("root")
    const at = cookie.indexOf("=")
    await context.addCookies([{ name: cookie.slice(0, at), value: cookie.slice(at + 1), url: `https://localhost:${port}`, secure: true, httpOnly: true, sameSite: "Strict" }])
    const page = await context.newPage()
    page.on("console", (m) => { if (m.type() === "error") console.log(name, m.text()) })
    page.on("pageerror", (e) => console.log(name, e.message))
    await page.goto(`https://localhost:${port}/security/sso`)
    await page.getByRole("heading", { name: "Identity providers" }).waitFor()
    await page.waitForTimeout(600)
    await page.screenshot({ path: `/tmp/w/o/page-${name}.png` })
    if (name === "light-1440") {
      await page.getByRole("button", { name: "Add another provider" }).click()
      await page.getByLabel("Name", { exact: true }).fill("Staff")
      await page.getByLabel("Issuer").fill(oidc.issuer)
      await page.getByLabel("Application (client) id").fill(oidc.client.id)
      await page.getByLabel("Client secret").fill(oidc.client.secret)
      await page.getByLabel("Group at the provider, row 1").fill("admins")
      await page.getByLabel("Role, row 1").selectOption("admin")
      await page.screenshot({ path: `/tmp/w/o/form-${name}.png` })
      await page.getByRole("button", { name: "Add provider" }).last().click()
      await page.getByText("cannot be used like this").waitFor({ timeout: 15000 })
      await page.screenshot({ path: `/tmp/w/o/testfail-${name}.png` })
      await page.getByRole("button", { name: "Close" }).click()
      await page.getByRole("button", { name: "Actions for Staff" }).click()
      await page.getByRole("menuitem", { name: "Edit…" }).click()
      await page.getByText("Claims, second factor and certificate").click()
      await page.getByLabel("CA certificate").fill(oidc.ca)
      await page.getByLabel("Client secret").fill(oidc.client.secret)
      await page.screenshot({ path: `/tmp/w/o/edit-${name}.png` })
      await page.getByRole("button", { name: "Change provider" }).click()
      await page.getByText("The provider can be used").waitFor({ timeout: 15000 })
      await page.screenshot({ path: `/tmp/w/o/testok-${name}.png` })
      await page.getByRole("button", { name: "Switch on…" }).click()
      await page.waitForTimeout(300)
      await page.screenshot({ path: `/tmp/w/o/switch-${name}.png` })
      await page.getByRole("button", { name: "Switch on", exact: true }).click()
      await page.getByText("People can sign in with Staff now").waitFor()
      await world.web.rows("update azure_sso_config set last_failure = jsonb_build_object('at', now(), 'message', 'The provider did not answer as it should: fetch failed.')")
    } else {
      await page.getByRole("button", { name: "Add provider" }).click()
      await page.waitForTimeout(300)
      await page.screenshot({ path: `/tmp/w/o/form-${name}.png` })
    }
    await context.close()
  }
  await browser.close(); await oidc.stop(); await world.web.stop()
})
