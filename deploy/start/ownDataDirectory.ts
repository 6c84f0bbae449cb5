import { createHash } from "node:crypto"
import { accessSync, chmodSync, constants, existsSync, mkdirSync, realpathSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { connect, createServer, type Server } from "node:net"
import { StartError } from "./StartError.ts"

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Level by level: Node's own recursive mkdir never ends under /proc. */
const makeLevels = (folder: string): void => {
  if (existsSync(folder)) return
  makeLevels(dirname(folder))
  mkdirSync(folder)
}

/** Makes the folder, open enough that PostgreSQL's account can pass through to its own part, or refuses. */
const makeFolder = (dataDir: string): void => {
  try {
    if (!existsSync(dataDir)) {
      makeLevels(dataDir)
      chmodSync(dataDir, 0o711)
    }
    if (!statSync(dataDir).isDirectory()) {
      throw new StartError({ message: `${dataDir} is not a folder: choose another --data-dir.` })
    }
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    if (error instanceof StartError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
      throw new StartError({
        message: `No permission to write in ${dataDir}: choose another folder with --data-dir, or run as its owner.`
      })
    }
    throw new StartError({ message: `The data directory ${dataDir} cannot be used: ${describe(error)}.` })
  }
}

/** Asks the owner of the name who it is; it may be gone by now. */
const askOwner = (name: string): Promise<string> =>
  new Promise((resolve) => {
    let text = ""
    const socket = connect(name)
    const finish = (): void => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(2_000, finish)
    socket.on("data", (chunk) => (text += chunk.toString("utf8")))
    socket.on("close", finish)
    socket.on("error", finish)
  })

const listen = (name: string, answer: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined)
      socket.end(answer)
    })
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)
    )
    server.listen(name, () => {
      server.unref()
      resolve(server)
    })
  })

/**
 * Makes this process the only one that runs from `dataDir`, until it ends in whatever way; answers how to give it up.
 * The kernel keeps the name, so nothing is left to clean after a kill.
 */
export const ownDataDirectory = async (dataDir: string, address: string): Promise<() => void> => {
  makeFolder(dataDir)
  const hash = createHash("sha256").update(realpathSync(dataDir)).digest("hex").slice(0, 32)
  const name = `\0patch-manager:data:${hash}`
  const server = await listen(name, `process ${process.pid}, ${address}`)
  if (server !== undefined) return () => server.close()
  const owner = await askOwner(name)
  throw new StartError({
    message:
      `The data directory ${dataDir} belongs to a running instance${owner === "" ? "" : ` (${owner})`}: ` +
      "stop that one, or use another --data-dir."
  })
}
