/** A port that does not answer at all: its process stands still and its queue of connections is full. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { connect, type Socket } from "node:net"

const program = `const s = require("node:net").createServer(); s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => process.stdout.write(String(s.address().port)))`

export const startFilteredPort = async () => {
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "ignore"] })
  const [chunk] = (await once(child.stdout, "data")) as [Buffer]
  const port = Number(chunk.toString())
  child.kill("SIGSTOP")
  const waiting: ReadonlyArray<Socket> = Array.from({ length: 8 }, () =>
    connect({ port, host: "127.0.0.1" }).on("error", () => undefined)
  )
  return {
    port,
    stop: async () => {
      for (const socket of waiting) socket.destroy()
      child.kill("SIGKILL")
      await once(child, "exit")
    }
  }
}
