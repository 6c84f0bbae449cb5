/** What the sign-in page says of refusals, waits and foreign words in its address. */
import { describe, expect, it } from "vitest"
import { agentName } from "#ui/account/agentName.ts"
import { leftWords } from "#ui/account/refusal.ts"
import { tidyCode } from "#ui/account/tidyCode.ts"
import { ssoWords } from "#ui/sign-in/ssoWords.ts"

describe("the sign-in page", () => {
  it("never repeats what a foreign address says", () => {
    expect(ssoWords("")).toBeNull()
    expect(ssoWords("?sso_error=no_role")).toMatch(/^None of your groups/)
    for (const foreign of ["call+0900+123", "__proto__", "constructor", "<b>"]) {
      expect(ssoWords(`?sso_error=${foreign}`)).toBe(
        "The sign-in through the identity provider did not work. Begin again."
      )
    }
  })

  it("says how long to wait in seconds, then in minutes", () => {
    expect([1, 59, 60, 95, 600, 1801].map(leftWords)).toEqual([
      "1 s",
      "59 s",
      "1 min",
      "1 min 35 s",
      "10 min",
      "30 min"
    ])
  })

  it("takes pasted codes with spaces and dashes", () => {
    expect(tidyCode(" 123 456 ")).toBe("123456")
    expect(tidyCode("123-456")).toBe("123456")
  })

  it("names browsers as people do", () => {
    const chrome =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36"
    expect(agentName(chrome)).toBe("Chrome on Linux")
    expect(agentName("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.0 Safari/605.1.15")).toBe(
      "Safari on Mac"
    )
    expect(agentName("curl/8.11")).toBe("Unknown browser")
  })
})
