import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { limits, rateLimits, routeClass, widened } from "#core/Limits.ts"
import { limitsDocument } from "../../docs/renderLimits.ts"

it("docs/limits.md says what is enforced; else run node docs/renderLimits.ts", () => {
  expect(readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8")).toBe(limitsDocument())
})

it("no burst is larger than two minutes' worth, so that nobody waits longer than two minutes for one request", () => {
  for (const { account, address } of Object.values(rateLimits)) {
    expect(address.burst).toBeLessThanOrEqual(2 * address.per_minute)
    if (account !== null) expect(account.per_minute).toBeLessThanOrEqual(address.per_minute)
  }
  expect(widened(rateLimits, 10).read.address.burst).toBe(rateLimits.read.address.burst * 10)
  expect(limits.body_bytes).toBeLessThan(limits.hosts_body_bytes)
})

describe("the kind of a request", () => {
  it.each([
    ["POST", "/api/v1/auth/login", "sign_in"],
    ["POST", "/api/v1/auth/mfa/totp", "sign_in"],
    ["POST", "/api/v1/auth/passkey", "sign_in"],
    ["POST", "/api/v1/auth/refresh", "change"],
    ["POST", "/api/v1/auth/factors/totp", "change"],
    ["GET", "/api/v1/auth/me", "read"],
    ["POST", "/api/v1/enroll", "enrolment_request"],
    ["GET", "/api/v1/enroll/status/x", "enrolment_status"],
    ["GET", "/api/v1/pki/crl.pem", "pki"],
    ["GET", "/api/v1/hosts", "read"],
    ["HEAD", "/", "read"],
    ["DELETE", "/api/v1/hosts/1", "change"],
    ["POST", "/rpc", "change"],
    ["POST", "/api/v1/jobs/plan", "expensive"],
    ["POST", "/api/v1/windows/simulate", "expensive"],
    ["GET", "/api/v1/audit/export", "expensive"]
  ])("%s %s is %s", (method, path, kind) => expect(routeClass(method, path)).toBe(kind))
})
