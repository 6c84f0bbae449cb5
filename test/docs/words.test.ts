/** The documents explain every word that the product can say. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { AgentFailureKind } from "#core/AgentFailure.ts"
import { HostSummary } from "#core/HostState.ts"
import { Verdict } from "#core/Order.ts"
import { Permission } from "#core/Permission.ts"
import { describeConfig, loadConfig, type SettingName, variableOf } from "#deploy/Config.ts"

const root = new URL("../../", import.meta.url).pathname
const textOf = (path: string): string => readFileSync(join(root, path), "utf8")

const unexplained = (path: string, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const text = textOf(path)
  return words.filter((word) => !text.includes(`\`${word}\``))
}

it("the user guide explains every summary and every verdict", () => {
  expect(unexplained("docs/user-guide.md", [...HostSummary.literals, ...Verdict.literals])).toEqual([])
})

it("the page on agents explains every failure", () => {
  expect(unexplained("docs/agents.md", AgentFailureKind.literals)).toEqual([])
})

it("the page on the API names every permission", () => {
  expect(unexplained("docs/api.md", Permission.literals)).toEqual([])
})

it("the map lists every setting with its variable", () => {
  const config = loadConfig({ "database.url": "postgresql://localhost/x" }, {}, "/")
  const variables = Object.keys(describeConfig(config)).map((name) => variableOf(name as SettingName))
  expect(variables.length).toBeGreaterThan(10)
  expect(unexplained("docs/README.md", variables)).toEqual([])
})

/** Sources as one text in which a sentence broken over two strings reads as one. */
const sourcesIn = (...folders: ReadonlyArray<string>): string =>
  folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => /\.(ts|mjs)$/.test(name))
        .map((name) => textOf(join(folder, name)))
    )
    .join("\n")
    .replaceAll(/["`]\s*\+\s*["`]/g, "")
    .replaceAll('\\"', '"')

it("every sentence in the runbook of the start is one that the product says", () => {
  const sources = sourcesIn("deploy", "sql", "actors/pki", "http/server")
  const [beforeItRuns = ""] = textOf("docs/runbooks/first-start-problems.md").split("## It started, but")
  const sentences = [...beforeItRuns.matchAll(/^\| (.+?) +\|/gm)]
    .map(([, sentence = ""]) => sentence)
    .filter((sentence) => !/^(It says|-+|an error of the connection.*)$/.test(sentence))
  const strange = sentences.filter(
    (sentence) =>
      !sentence
        .split(/…|"9000"|\([^)]*\)/)
        .map((part) => part.trim().replace(/^[:;.,]\s*/, ""))
        .filter((part) => part.length >= 8)
        .every((part) => sources.includes(part))
  )
  expect(sentences.length).toBeGreaterThan(30)
  expect(strange).toEqual([])
})
