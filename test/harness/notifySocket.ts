/** A stand-in for systemd's notification socket: Node has no Unix datagram socket, so a line of Python listens. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

export interface NotifySocket {
  readonly path: string
  /** What came, with the milliseconds since the epoch at which it came. */
  readonly heard: ReadonlyArray<{ readonly at: number; readonly text: string }>
  readonly stop: () => Promise<void>
}

const listen = `
import os, socket, sys
path = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(path)
print("listening", flush=True)
while True:
    data, fds, flags, address = socket.recv_fds(listener, 4096, 8)
    for fd in fds:
        os.close(fd)
    for line in data.decode().splitlines():
        print(line, flush=True)
`

export const startNotifySocket = async (path: string): Promise<NotifySocket> => {
  const child = spawn("python3", ["-c", listen, path], { stdio: ["ignore", "pipe", "inherit"] })
  const heard: Array<{ at: number; text: string }> = []
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject)
    gone.then(() => reject(new Error("The notification socket could not be opened")), reject)
    createInterface({ input: child.stdout }).on("line", (text) => {
      if (text === "listening") resolve()
      else heard.push({ at: Date.now(), text })
    })
  })
  return {
    path,
    heard,
    stop: () => {
      child.kill("SIGKILL")
      return gone
    }
  }
}
