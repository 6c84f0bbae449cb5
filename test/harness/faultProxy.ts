/** A way to PostgreSQL's socket over loopback, some of whose connections can be made half-open: they stand and carry nothing. */
import net from "node:net"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"

export interface FaultProxy {
  /** The database's address through this proxy. */
  readonly url: string
  /** Drops from now on what goes over the connections that are listening; answers how many they are. */
  readonly deafen: () => number
  /** Cuts the connections that are listening. */
  readonly cut: () => number
  readonly stop: () => Promise<void>
}

interface Pair {
  readonly near: net.Socket
  readonly far: net.Socket
  listens: boolean
  deaf: boolean
}

export const startFaultProxy = async (databaseUrl: string): Promise<FaultProxy> => {
  const { path, host, port, database, username } = parseDatabaseUrl(databaseUrl)
  const pairs = new Set<Pair>()
  const listener = net.createServer((near) => {
    const far = path === undefined ? net.connect(port ?? 5432, host) : net.connect(path)
    const pair: Pair = { near, far, listens: false, deaf: false }
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) socket.on("error", end).on("close", end)
    near.on("data", (data) => {
      if (pair.deaf) return
      if (data.includes("LISTEN ")) pair.listens = true
      far.write(data)
    })
    far.on("data", (data) => void (pair.deaf || near.write(data)))
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const listening = () => [...pairs].filter((pair) => pair.listens && !pair.deaf)
  const address = listener.address() as net.AddressInfo
  return {
    url: `postgresql://${username}@127.0.0.1:${address.port}/${database}`,
    deafen: () => listening().map((pair) => (pair.deaf = true)).length,
    cut: () => listening().map((pair) => pair.near.destroy()).length,
    stop: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      for (const { near } of pairs) near.destroy()
      await closed
    }
  }
}
