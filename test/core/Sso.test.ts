import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { GroupId } from "#core/Ids.ts"
import { countsAsMfa, grantOf, Issuer, localPage, type SsoMapping, usernameOf } from "#core/Sso.ts"

const group = (n: number) => `01a200e4-e652-72f9-b45c-117b1e318c0${n}` as GroupId

describe("what groups at the provider come to", () => {
  const mappings: ReadonlyArray<SsoMapping> = [
    { provider_group: "readers", role: "auditor", group_ids: [] },
    { provider_group: "ops", role: "operator", group_ids: [group(1), group(2)] },
    { provider_group: "db", role: null, group_ids: [group(2), group(3)] },
    { provider_group: "admins", role: "admin", group_ids: [] }
  ]
  it.each([
    [[], null],
    [["staff"], null],
    [["db"], null],
    [["OPS"], null],
    [["readers"], { role: "auditor", group_ids: [] }],
    [["readers", "ops"], { role: "operator", group_ids: [group(1), group(2)] }],
    [["db", "ops"], { role: "operator", group_ids: [group(1), group(2), group(3)] }],
    [["ops", "admins"], { role: "admin", group_ids: [group(1), group(2)] }]
  ] as const)("%j", (groups, granted) => expect(grantOf(mappings, groups)).toEqual(granted))
})

describe("what counts as a second factor", () => {
  it.each([
    [{}, false],
    [{ amr: [] }, false],
    [{ amr: ["pwd"] }, false],
    [{ amr: ["pwd", "sms"] }, false],
    [{ amr: "mfa" }, false],
    [{ amr: { mfa: true } }, false],
    [{ amr: ["pwd", "mfa"] }, true],
    [{ amr: ["otp"] }, true],
    [{ amr: ["hwk"] }, true],
    [{ acr: "0" }, false],
    [{ acr: "gold" }, true],
    [{ acr: ["gold"] }, false]
  ] as const)("%j", (claims, strong) => expect(countsAsMfa(claims, ["gold"])).toBe(strong))
})

it("goes to a page of the console, or to the first one", () => {
  for (const page of ["/", "/hosts", "/hosts?status=degraded&sort=-name", "/jobs/01a2", "/security/sso"]) {
    expect(localPage(page)).toBe(page)
  }
  for (const page of [
    "",
    "//evil",
    "/\\evil",
    "/../api",
    "/api/docs",
    "/rpc",
    "/a#b",
    "/hosts?next=//e\n",
    undefined
  ]) {
    expect(localPage(page)).toBe("/")
  }
})

it("makes user names of what a provider calls somebody", () => {
  expect(usernameOf("Anna.Müller@Example.org")).toBe("anna.muller@example.org")
  expect(usernameOf("  --x--  ")).toBe("x")
  expect(usernameOf("山田")).toBe("")
  expect(usernameOf("a".repeat(300))).toHaveLength(60)
})

describe("an issuer", () => {
  const accepts = Schema.is(Issuer)
  it.each([
    ["https://id.example.org/realms/staff", true],
    ["https://login.microsoftonline.com/8f2c1a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b/v2.0", true],
    ["https://login.microsoftonline.com/common/v2.0", false],
    ["https://LOGIN.microsoftonline.com/organizations/v2.0", false],
    ["https://login.microsoftonline.us/consumers/v2.0", false],
    ["https://sts.windows.net/contoso.com/", false],
    ["http://id.example.org", false],
    ["https://id.example.org?x=1", false],
    ["https://id.example.org/.well-known/openid-configuration", false],
    ["id.example.org", false]
  ] as const)("%s", (text, accepted) => expect(accepts(text)).toBe(accepted))
})
