import { describe, expect, it } from "vitest"
import { passwordFault, passwordRules } from "#core/PasswordPolicy.ts"
import { foldUsername } from "#core/foldUsername.ts"
import { commonPasswords, commonWords } from "#http/server/commonPasswords.ts"

const fault = (password: string, pci_profile = false) =>
  passwordFault(password, {
    pci_profile,
    about: ["olga", "Olga Petersen", "patch.example.org"],
    isCommonPassword: (text) => commonPasswords.has(text),
    isCommonWord: (text) => commonWords.has(text)
  })

describe("a new password", () => {
  it.each([
    "tall green lamps sing",
    "kettle orbit 7 lemon",
    "q8#kLw92nVz!tR5",
    "🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆",
    "   spaces around   them",
    "пятнадцать разных слов",
    `${"ab cd ef gh ij ".repeat(17)}!`,
    "h7wq-2kfd-9mzt-4xvb-c8ns"
  ])("is taken: %s", (password) => expect(fault(password)).toBeNull())

  it.each([
    ["fourteen chars", /Too short: 14 characters of at least 15/],
    ["🦊🐻🐼🐨🐯🦁🐮", /Too short: 7/],
    ["x1".repeat(129), /Too long: 258/],
    ["qwertyuiop12345", /guessed first/],
    ["correct horse battery staple", /guessed first/],
    ["P@ssw0rdP@ssw0rd", /guessed first/],
    ["Ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ", /guessed first/],
    ["Linux-Patch-Manager", /product's/],
    ["PatchManager2026", /product's/],
    ["olga.olga.olga.1", /user name/],
    ["Olga Petersen 1", /user name/],
    ["patch.example.org", /manager's name/],
    ["abcabcabcabcabcabc", /same few characters/],
    ["aaaaaaaaaaaaaaaa", /same few characters/],
    ["1234567890987654321", /guessed first|row of/],
    ["asdfghjkl;poiuytr", /row of/],
    ["Summer2024Winter!", /common word/],
    ["!!Administrator99", /common word/],
    ["letmein-please-1", /guessed first|common word/],
    ["\ud800 is only half of it", /half a character/]
  ])("is refused with the reason: %s", (password, reason) => expect(fault(password)).toMatch(reason))

  it("counts what is written, not how a keyboard composes it", () => {
    const composed = "é".normalize("NFC").repeat(8)
    expect(fault(`${composed.normalize("NFD")}`)).toMatch(/Too short: 8/)
    expect(fault("🦊🐻🐼🐨🐯🦁🐮🐷".repeat(32))).toBeNull()
    expect(fault("🦊🐻🐼🐨🐯🦁🐮🐷".repeat(32) + "!")).toMatch(/Too long: 257/)
  })

  it("follows the PCI profile where that is on, and says so", () => {
    expect(fault("kettle orbit 7", true)).toBeNull()
    expect(fault("kettle orbit", true)).toMatch(/Letters and digits/)
    expect(fault("482 5917 3390 66", true)).toMatch(/Letters and digits/)
    expect(fault("kettle or 7", true)).toMatch(/of at least 12/)
    expect(passwordRules(true).join(" ")).toMatch(/12 characters.*last four passwords/)
    expect(passwordRules(false).join(" ")).toMatch(/15 characters/)
  })

  it("is judged quickly, however long it is", () => {
    const began = performance.now()
    for (let round = 0; round < 50; round++) fault("abcdefghij klmnop qrst uvwxyz ".repeat(9).slice(0, 256))
    expect((performance.now() - began) / 50).toBeLessThan(50)
  })
})

describe("a user name", () => {
  it("has one spelling", () => {
    const spellings = [
      "admin",
      "Admin",
      "ADMIN",
      " admin",
      "ａｄｍｉｎ",
      "ádmin",
      "a\u0301dmin",
      "ad\u200bmin",
      "ＡＤＭＩＮ "
    ]
    expect(new Set(spellings.map(foldUsername))).toEqual(new Set(["admin"]))
  })
})
