import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Change } from "#core/Package.ts"
import { compareDeb, compareRpm, isReached } from "#core/Version.ts"

/** Mulberry32: the same pairs in every run. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const next = random(20260722)
const pick = <A>(from: ReadonlyArray<A>): A => from[Math.floor(next() * from.length)]!
const number = () => pick(["0", "1", "2", "9", "10", "007", "12", "99", "100", "20240101"])
const word = () => pick(["a", "b", "Z", "rc", "beta", "git", "ubuntu", "deb", "el", "p"])
const joint = () => pick([".", "+", "~", "", ".", "~~", "+~", "-"])
const pieces = (most: number) =>
  Array.from({ length: 1 + Math.floor(next() * most) }, () => `${joint()}${pick([number, word])()}`).join("")

const debVersion = (): string => {
  const epoch = pick(["", "", "", "0:", "1:", "2:", "10:"])
  const revision = pick(["", "", `-${number()}`, `-${number()}ubuntu${number()}`, `-${number()}~bpo12+1`, "-0"])
  return `${epoch}${number()}${pieces(4)}${revision}`
}

/** A neighbour differs in one place, where random pairs differ at once. */
const neighbour = (version: string): string =>
  pick([
    () => `${version}~`,
    () => `${version}+b1`,
    () => `${version}.0`,
    () => `0:${version.replace(/^\d+:/, "")}`,
    () => version.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10)),
    () => version.replace("~", "+"),
    () => version.replace(/(\d+)$/, "0$1"),
    debVersion
  ])()

const pairs = Array.from({ length: 640 }, (_, index): readonly [string, string] => {
  const left = debVersion()
  return index % 2 === 0 ? [left, neighbour(left)] : [left, debVersion()]
})

/** What dpkg says of each pair, in one shell: `<`, `=`, `>`, or `!` where it takes one of the two for no version. */
const askDpkg = (): ReadonlyArray<string> => {
  const folder = mkdtempSync(join(tmpdir(), "versions-"))
  const file = join(folder, "pairs")
  writeFileSync(file, pairs.map((pair) => `${pair.join(" ")}\n`).join(""))
  const script = `while read -r a b; do
    if out=$(dpkg --compare-versions "$a" lt "$b" 2>&1); then word='<'
    elif dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then word='='
    else word='>'; fi
    case "$out" in *error*|*warning*) word='!';; esac
    printf '%s\\n' "$word"
  done < "$1"`
  try {
    return execFileSync("sh", ["-c", script, "sh", file], { encoding: "utf8" }).trim().split("\n")
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const sign = (order: number): string => (order < 0 ? "<" : order > 0 ? ">" : "=")

describe("versions of Debian packages", () => {
  it("are ordered as dpkg orders them", { timeout: 60_000 }, () => {
    const answers = askDpkg()
    expect(answers).toHaveLength(pairs.length)
    const judged = pairs.flatMap(([left, right], index) =>
      answers[index] === "!"
        ? []
        : [{ pair: `${left} ${right}`, dpkg: answers[index]!, ours: sign(compareDeb(left, right)) }]
    )
    expect(judged.length).toBeGreaterThanOrEqual(500)
    for (const word of ["<", "=", ">"]) {
      expect(judged.filter(({ dpkg }) => dpkg === word).length).toBeGreaterThan(15)
    }
    expect(judged.filter(({ dpkg, ours }) => dpkg !== ours)).toEqual([])
  })

  it("turn round with their sides", () => {
    for (const [left, right] of pairs)
      expect(compareDeb(left, right) + compareDeb(right, left), `${left} ${right}`).toBe(0)
  })

  it("know what dpkg's own manual says", () => {
    const order = [
      "1.0~~",
      "1.0~~a",
      "1.0~",
      "1.0",
      "1.0-1~bpo1",
      "1.0-1",
      "1.0-1+b1",
      "1.0a",
      "1.0+",
      "1.0.1",
      "1:0.1"
    ]
    expect([...order].sort(compareDeb)).toEqual(order)
    expect(compareDeb("1.0-0", "1.0")).toBe(0)
    expect(compareDeb("1.00", "1.0")).toBe(0)
    expect(compareDeb("1.0-1-2", "1.0-1-10")).toBeLessThan(0)
    expect(compareDeb("99999999999999999999998", "99999999999999999999999")).toBeLessThan(0)
  })
})

/** From rpm's own tests/rpmvercmp.at, then epochs and releases. */
const rpmVectors: ReadonlyArray<readonly [string, "<" | "=" | ">", string]> = [
  ["1.0", "=", "1.0"],
  ["1.0", "<", "2.0"],
  ["2.0", ">", "1.0"],
  ["2.0.1", "=", "2.0.1"],
  ["2.0", "<", "2.0.1"],
  ["2.0.1a", ">", "2.0.1"],
  ["5.5p1", "<", "5.5p2"],
  ["5.5p10", ">", "5.5p1"],
  ["10xyz", "<", "10.1xyz"],
  ["xyz10", "<", "xyz10.1"],
  ["xyz.4", "<", "8"],
  ["xyz.4", "<", "2"],
  ["5.5p2", "<", "5.6p1"],
  ["5.6p1", "<", "6.5p1"],
  ["6.0.rc1", ">", "6.0"],
  ["10b2", ">", "10a1"],
  ["1.0aa", "=", "1.0aa"],
  ["1.0a", "<", "1.0aa"],
  ["10.0001", "=", "10.1"],
  ["10.0001", "<", "10.0039"],
  ["4.999.9", "<", "5.0"],
  ["20101121", ">", "20101118"],
  ["2_0", "=", "2.0"],
  ["a", "=", "a"],
  ["a+", "=", "a_"],
  ["+a", "=", "_a"],
  ["+", "=", "_"],
  ["1.0~rc1", "<", "1.0"],
  ["1.0~rc1", "<", "1.0~rc2"],
  ["1.0~rc1~git123", "<", "1.0~rc1"],
  ["1.0^", ">", "1.0"],
  ["1.0^git1", ">", "1.0"],
  ["1.0^git1", "<", "1.0^git2"],
  ["1.0^git1", "<", "1.01"],
  ["1.0^git1", "<", "1.0A"],
  ["1.0^20160101", "<", "1.0.1"],
  ["1.0^20160101^git1", ">", "1.0^20160101"],
  ["1.0^20160102", ">", "1.0^20160101^git1"],
  ["1.0~rc1^git1", ">", "1.0~rc1"],
  ["1.0^git1~pre", "<", "1.0^git1"],
  ["1b.fc17", "=", "1b.fc17"],
  ["1b.fc17", "<", "1.fc17"],
  ["1g.fc17", ">", "1.fc17"],
  ["0:1.0-1", "=", "1.0-1"],
  ["1:0.9-1", ">", "2.0-9"],
  ["1.0-1.el9", "<", "1.0-2.el9"],
  ["1.0-9.el9_3.2", "<", "1.0-10.el9_3.1"],
  ["1.0-1.el9~1", "<", "1.0-1.el9"]
]

describe("versions of rpm packages", () => {
  it.each(rpmVectors)("%s %s %s", (left, word, right) => {
    expect(sign(compareRpm(left, right))).toBe(word)
    const opposite = { "<": ">", ">": "<", "=": "=" } as const
    expect(sign(compareRpm(right, left))).toBe(opposite[word])
  })
})

describe("a change", () => {
  const change = (from: string | null, to: string | null): Change => ({ name: "nginx", from, to })

  it.each([
    ["exactly the version planned", change("1.0-1", "1.0-2"), "1.0-2", "deb", true],
    ["something newer", change("1.0-1", "1.0-2"), "1.0-10", "deb", true],
    ["something older", change("1.0-1", "1.0-2"), "1.0-1", "deb", false],
    ["a pre-release of it", change("1.0-1", "1.0-2"), "1.0-2~bpo1", "deb", false],
    ["nothing", change("1.0-1", "1.0-2"), null, "deb", false],
    ["newer by rpm's rule", change("1.0-9.el9", "1.0-10.el9"), "1.0-11.el9", "rpm", true],
    ["older by rpm's rule", change("1.0-9.el9", "1.0-10.el9"), "1.0-9.el9", "rpm", false],
    ["the same, of a format nobody knows", change("1", "2"), "2", "other", true],
    ["another, of a format nobody knows", change("1", "2"), "3", "other", false],
    ["the same as before, the target unknown", change("1", null), "1", "deb", false],
    ["another than before, the target unknown", change("1", null), "2", "other", true]
  ] as const)("with %s installed", (_, wanted, installed, format, reached) => {
    expect(isReached(wanted, installed, format)).toBe(reached)
  })
})
