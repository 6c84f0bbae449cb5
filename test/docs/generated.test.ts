/** The documents that are made from the code are those of the code as it is. */
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { hostDocument, jobDocument } from "../../docs/machines/render.ts"
import { openapiDocument } from "../../docs/renderOpenapi.ts"

const stored = (path: string): string => readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8")

it("the machine documents are fresh; else run node docs/machines/render.ts", () => {
  expect(stored("machines/host.md")).toBe(hostDocument())
  expect(stored("machines/job.md")).toBe(jobDocument())
})

it("docs/openapi.json is fresh; else run node docs/renderOpenapi.ts", () => {
  expect(stored("openapi.json") === openapiDocument()).toBe(true)
})
