import { createServer } from "node:net"
import { StartError } from "./StartError.ts"

const tryPort = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })

const sentence = (code: string, host: string, port: number, flag: string): string => {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} on ${host} is taken by another program: stop it, or choose another port with --${flag}.`
    case "EACCES":
      return `This user may not open port ${port}: choose one above 1023 with --${flag}.`
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is not an address of this machine: choose one with --bind.`
    default:
      return `Port ${port} on ${host} cannot be opened (${code}): choose another with --${flag}.`
  }
}

/** Fails with a sentence when a port cannot be had; `patienceMs` allows for processes of a killed start to go. */
export const refuseTakenPort = async (host: string, port: number, flag: string, patienceMs = 2_000): Promise<void> => {
  const end = performance.now() + patienceMs
  for (;;) {
    const code = await tryPort(host, port)
    if (code === undefined) return
    if (code !== "EADDRINUSE" || performance.now() >= end) {
      throw new StartError({ message: sentence(code, host, port, flag) })
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
