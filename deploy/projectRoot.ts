import { existsSync } from "node:fs"
import { dirname, join } from "node:path"

const rootAbove = (directory: string): string => {
  if (existsSync(join(directory, "package.json"))) return directory
  const parent = dirname(directory)
  if (parent === directory) throw new Error(`No package.json above ${import.meta.dirname}.`)
  return rootAbove(parent)
}

/** The folder of the checkout or of the installation; found the same from deploy/ and from a bundle in .build/server/. */
export const projectRoot = rootAbove(import.meta.dirname)

/** Whether this process runs from a bundle instead of TypeScript. */
export const isBundle = import.meta.filename.endsWith(".mjs")

/** The file that starts one of our processes, in the same form as this one runs. */
export const entryOf = (name: "web" | "worker"): string =>
  isBundle ? join(projectRoot, ".build", "server", `${name}.mjs`) : join(projectRoot, "deploy", `${name}.ts`)

/** The stand-in fleet; part of a checkout only, and run from its sources because it reads files beside them. */
export const fleetEntry = join(projectRoot, "test", "fleet", "main.ts")
