import { describe, expect, it } from "vitest"
import { openWithToken, sealToToken, tokenPublicKey } from "#actors/pki/sealToToken.ts"

const token = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6a7B8c9D0e1F2"

describe("a text sealed to a token", () => {
  it("opens with the token and its place, again and again", () => {
    const sealed = sealToToken(tokenPublicKey(token), "here", "a private key")
    expect(Buffer.from(sealed).includes("private")).toBe(false)
    expect(openWithToken(token, "here", sealed)).toBe("a private key")
    expect(openWithToken(token, "here", sealed)).toBe("a private key")
    expect(Buffer.from(sealToToken(tokenPublicKey(token), "here", "a private key"))).not.toEqual(Buffer.from(sealed))
  })

  it("opens with no other token, at no other place, and not when it was changed", () => {
    const sealed = sealToToken(tokenPublicKey(token), "here", "a private key")
    expect(() => openWithToken(`${token}x`, "here", sealed)).toThrow()
    expect(() => openWithToken(token, "there", sealed)).toThrow()
    for (const at of [0, 40, 50, sealed.length - 1]) {
      const changed = Uint8Array.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => openWithToken(token, "here", changed)).toThrow()
    }
    expect(() => openWithToken(token, "here", sealed.subarray(0, 20))).toThrow()
  })

  it("gives one public key for one token", () => {
    expect(tokenPublicKey(token)).toHaveLength(32)
    expect(Buffer.from(tokenPublicKey(token))).toEqual(Buffer.from(tokenPublicKey(token)))
    expect(Buffer.from(tokenPublicKey(token))).not.toEqual(Buffer.from(tokenPublicKey("other")))
  })
})
