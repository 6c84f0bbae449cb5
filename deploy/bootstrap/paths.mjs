import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export const inRoot = (...parts) => join(root, ...parts)

/** Node 24 by its path: npm 10 leaves out the link in .bin, and a shell remembers the machine's own node. */
export const node24 = inRoot("node_modules", `node-linux-${process.arch}`, "bin", "node")
