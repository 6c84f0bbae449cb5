import { expect, it } from "vitest"
import { WebConfig } from "#http/server/WebSettings.ts"

const config = (publicUrl: string, bind = "0.0.0.0") =>
  WebConfig.make({
    bind,
    port: 8443,
    publicUrl,
    tls: { key: "", cert: "" },
    consoleDirectory: "/nowhere",
    jwtKeyFile: "/nowhere",
    managerAddress: null,
    securityTargetDays: 14
  })

it.each([
  ["https://patch.example.org", true],
  ["https://patch.example.org:8443", true],
  ["https://localhost:8443", false],
  ["https://192.0.2.7:8443", false],
  ["https://[2001:db8::7]:8443", false]
])("%s asks browsers to remember HTTPS: %s", (url, remembers) => {
  const headers = config(url).headersFor(new URL(url).hostname)
  expect("strict-transport-security" in headers).toBe(remembers)
  expect(config(url).headersFor("localhost")).not.toHaveProperty("strict-transport-security")
})

it("answers for its public name, and for this machine only when it listens there", () => {
  expect([...config("https://patch.example.org").hostNames]).toEqual(["patch.example.org"])
  expect(config("https://patch.example.org", "127.0.0.1").hostNames).toContain("localhost")
  expect(config("https://localhost:8443").hostNames).toContain("127.0.0.1")
})
