import { afterAll, beforeAll, expect, it } from "vitest"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
})
afterAll(() => web.stop())

it("gives the contract as OpenAPI 3.1 behind sign-in, with one envelope for every error", async () => {
  const { token } = await web.signIn("admin")
  const answer = await web.call("GET", "/api/v1/openapi.json", { token })
  expect(answer.at("openapi")).toBe("3.1.0")
  const paths = answer.at("paths") as Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>
  const errors = Object.values(paths).flatMap((item) =>
    Object.values(item).flatMap(({ responses }) =>
      Object.entries(responses).filter(([status]) => Number(status) >= 400)
    )
  )
  for (const [status, response] of errors) {
    const schemas = JSON.stringify(response)
    if (status !== "503") expect(schemas).toContain('"#/components/schemas/ErrorEnvelope"')
  }
  expect((await web.call("GET", "/api/v1/openapi.json")).status).toBe(401)
})

it("shows it as a page to a browser that is signed in, without any script", async () => {
  const { cookie } = await web.signIn("admin")
  const page = await web.call("GET", "/api/docs", { headers: { cookie } })
  expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"])
  expect(page.text).toContain("/api/v1/hosts/{id}/certificate")
  expect(page.text).not.toMatch(/<script|<style| style=| on[a-z]+=/i)
  const away = await web.call("GET", "/api/docs")
  expect([away.status, away.headers["location"]]).toEqual([303, "/"])
})
