import { describe, expect, it } from "vitest"
import { codeOf, readSources, type SourceFile } from "./sources.ts"

/** Words that say that somebody has not thought of a name yet. */
const empty = "(Manager|Helpers?|Utils?|Service)"
const emptyFile = new RegExp(`${empty}\\.(test\\.)?\\w+$`, "i")
const emptyClass = new RegExp(`\\bexport\\s+(?:abstract\\s+)?class\\s+\\w*${empty}\\b`)
const barrels = ["sql/migrations/index.ts"]
const unfinished = new RegExp(["TO" + "DO", "FIX" + "ME"].map((word) => `\\b${word}\\b`).join("|"))
/** In the place of a type; elsewhere it is a word in a text between tags. */
const anything = /(?:[:<|&]|=>|\bas|<[^<>()]*,)\s*any\b\s*(?=[;,)>|&=[\]{}]|$)/m
const muted = /\b(it|test|describe|suite)(\.\w+)*\.(only|skip|todo|skipIf|runIf)\b|\b(xit|xdescribe|fit|fdescribe)\(/
const LONGEST = 400

/** Files that are longer for a reason. */
const longer: Readonly<Record<string, string>> = {
  "sql/migrations/0001_foundation.ts": "one schema, read from top to bottom",
  "test/actors/agent/failures.test.ts": "one case for each way an agent can fail",
  "test/machines/simulation/JobLife.ts": "one job, and all that can befall it",
  "test/fleet/StandIn.ts": "one machine with its agent, and all that can befall it"
}

const faultsOf = ({ path, text }: SourceFile): ReadonlyArray<string> => {
  const code = codeOf(text)
  const lines = text.trimEnd().split("\n").length
  const rules: ReadonlyArray<readonly [broken: boolean, words: string]> = [
    [emptyFile.test(path), "its name says nothing"],
    [emptyClass.test(code), "a class's name says nothing"],
    [/(^|\/)index\.tsx?$/.test(path) && !barrels.includes(path), "no index files: name the file"],
    [unfinished.test(text), "something is left to be done"],
    [anything.test(code), "any"],
    // The fault suite may play a part of its rows; its reporter names those that were not.
    [path !== "test/faults/row.ts" && muted.test(code), "a test is left out"],
    [lines > LONGEST && longer[path] === undefined, `${lines} lines`]
  ]
  return rules.filter(([broken]) => broken).map(([, words]) => `${path}: ${words}`)
}

const planted = (path: string, text: string) => faultsOf({ path, text })

describe("the sources", () => {
  it("keep to the vocabulary", () => {
    expect(readSources().flatMap(faultsOf)).toEqual([])
  })

  it("are longer than 400 lines only where a reason is listed", () => {
    const paths = new Map(readSources().map((file) => [file.path, file.text.split("\n").length]))
    expect(Object.keys(longer).filter((path) => (paths.get(path) ?? 0) <= LONGEST)).toEqual([])
  })

  it.each([
    ["actors/HostManager.ts", "export const a = 1"],
    ["http/server/stringUtils.ts", "export const a = 1"],
    ["core/helpers.ts", "export const a = 1"],
    ["sql/Host.ts", "export class HostService {}"],
    ["ui/hosts/index.ts", "export const a = 1"],
    ["core/Host.ts", `// ${"TO"}${"DO"}: later`],
    ["core/Host.ts", `/* ${"FIX"}${"ME"} */`],
    ["core/Host.ts", "const a: any = 1"],
    ["core/Host.ts", "const a = b as any"],
    ["core/Host.ts", "const a = new Array<any>()"],
    ["core/Host.ts", "const a: Record<string, any> = {}"],
    ["core/Host.ts", "type A = () => any"],
    ["test/core/Host.test.ts", "it.only(name, run)"],
    ["test/core/Host.test.ts", "describe.skip(name, run)"],
    ["test/core/Host.test.ts", "it.effect.skip(name, run)"],
    ["test/core/Host.test.ts", "it.todo(name)"],
    ["core/Host.ts", "a\n".repeat(401)]
  ])("are refused: %s with %j", (path, text) => {
    expect(planted(path, text)).toHaveLength(1)
  })

  it.each([
    ["core/Host.ts", 'const words = "any host"'],
    ["core/Host.ts", "// as any host does\nconst a = 1"],
    ["core/Host.ts", "const open = all.some(any)"],
    ["ui/hosts/HostPage.tsx", "<p>\n  Say any word, or any\n  other</p>"],
    ["sql/migrations/index.ts", "export const migrations = []"],
    ["core/Host.ts", "a\n".repeat(400)]
  ])("are accepted: %s with %j", (path, text) => {
    expect(planted(path, text)).toEqual([])
  })
})
