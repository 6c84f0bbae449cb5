import * as fc from "fast-check"
import { expect, it } from "vitest"
import { packageEffects } from "#core/packageEffects.ts"

const list = (versions: Readonly<Record<string, string>>) =>
  Object.entries(versions).map(([name, version]) => ({ name, version }))

it("names what changed, came and went, in the order of names", () => {
  expect(
    packageEffects(list({ openssl: "1", curl: "7", vim: "9" }), list({ curl: "7", openssl: "2", nginx: "1" }))
  ).toEqual([
    { name: "nginx", from: null, to: "1" },
    { name: "openssl", from: "1", to: "2" },
    { name: "vim", from: "9", to: null }
  ])
})

it("counts kernels side by side one by one", () => {
  const kernels = (...versions: ReadonlyArray<string>) => versions.map((version) => ({ name: "kernel", version }))
  expect(packageEffects(kernels("1", "2"), kernels("2", "3"))).toEqual([{ name: "kernel", from: "1", to: "3" }])
  expect(packageEffects(kernels("1"), kernels("1", "2"))).toEqual([{ name: "kernel", from: null, to: "2" }])
})

it("a package may be called as anything of an object is", () => {
  expect(packageEffects(list({ constructor: "1" }), [])).toEqual([{ name: "constructor", from: "1", to: null }])
})

it("undone, the effects lead back to the list from before", () => {
  const packages = fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e"), fc.constantFrom("1", "2", "3"))
  fc.assert(
    fc.property(packages, packages, (before, after) => {
      const now = new Map<string, string>(Object.entries(after))
      for (const { name, from } of packageEffects(list(before), list(after)))
        if (from === null) now.delete(name)
        else now.set(name, from)
      expect(packageEffects(list(before), list(Object.fromEntries(now)))).toEqual([])
    })
  )
})
