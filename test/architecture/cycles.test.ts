import { describe, expect, it } from "vitest"
import { fileNamed, loadedSpecifiersOf, readSources, type SourceFile } from "./sources.ts"

/** Each cycle once, as its files in order, by a depth-first walk. Type imports tie nothing together when the program runs. */
const cyclesIn = (files: ReadonlyArray<SourceFile>): ReadonlyArray<string> => {
  const targets = new Map(
    files.map((file) => [
      file.path,
      loadedSpecifiersOf(file).flatMap((specifier) => fileNamed(file.path, specifier) ?? [])
    ])
  )
  const done = new Set<string>()
  const cycles: Array<string> = []
  const visit = (path: string, way: ReadonlyArray<string>): void => {
    const seen = way.indexOf(path)
    if (seen >= 0) cycles.push([...way.slice(seen), path].join(" -> "))
    if (seen >= 0 || done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...way, path])
    done.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return cycles
}

describe("import cycles", () => {
  it("are absent", () => {
    expect(cyclesIn(readSources())).toEqual([])
  })

  it("are found, also over several files and folders", () => {
    const files = [
      { path: "core/A.ts", text: 'import { B } from "./B.ts"' },
      { path: "core/B.ts", text: 'import { C } from "#sql/C.ts"' },
      { path: "sql/C.ts", text: 'export { A } from "#core/A.ts"' },
      { path: "ui/D.tsx", text: 'import { D } from "./D.tsx"' }
    ]
    expect(cyclesIn(files)).toEqual(["core/A.ts -> core/B.ts -> sql/C.ts -> core/A.ts", "ui/D.tsx -> ui/D.tsx"])
  })

  it("are not made by types", () => {
    const files = [
      { path: "core/A.ts", text: 'import type {\n  B\n} from "./B.ts"' },
      { path: "core/B.ts", text: 'import { A } from "./A.ts"' }
    ]
    expect(cyclesIn(files)).toEqual([])
  })
})
