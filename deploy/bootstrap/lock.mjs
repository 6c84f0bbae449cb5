import { createHash } from "node:crypto"
import { realpathSync } from "node:fs"
import { createServer } from "node:net"
import { root } from "./paths.mjs"
import { say } from "./say.mjs"

const name = () => {
  const hash = createHash("sha256").update(realpathSync(root)).digest("hex").slice(0, 32)
  return `\0patch-manager:prepare:${process.getuid()}:${hash}`
}

const tryLock = () =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)))
    server.listen(name(), () => resolve(server))
  })

/** Runs `body` while no other start prepares this checkout; the kernel frees the lock however the holder ends. */
export const alone = async (body) => {
  let told = false
  for (;;) {
    const lock = await tryLock()
    if (lock !== undefined) {
      try {
        return await body()
      } finally {
        lock.close()
      }
    }
    if (!told) say("Another start is preparing this checkout; waiting for it.")
    told = true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
