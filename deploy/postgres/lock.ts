import { createHash } from "node:crypto"
import { createServer, type Server } from "node:net"

const nameOf = (purpose: string, path: string): string =>
  `\0patch-manager:${purpose}:${createHash("sha256").update(path).digest("hex").slice(0, 32)}`

/** Tries to hold the lock of `path`; the kernel frees it when this process dies, so nothing stale is ever left. */
export const tryLock = (purpose: string, path: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)
    )
    server.listen(nameOf(purpose, path), () => {
      server.unref()
      resolve(server)
    })
  })

/** Runs `body` alone among all processes that use the same purpose and path, waiting for its turn. */
export const locked = async <A>(purpose: string, path: string, body: () => Promise<A>): Promise<A> => {
  for (;;) {
    const held = await tryLock(purpose, path)
    if (held === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    try {
      return await body()
    } finally {
      held.close()
    }
  }
}
