/** A way to PostgreSQL's socket over loopback that can lose an answer after the server has committed. */
import net from "node:net"

export interface LossyProxy {
  readonly port: number
  /** The next finished answer of the server is thrown away with its connection. */
  readonly loseNextAnswer: () => void
  readonly lost: () => number
  readonly stop: () => Promise<void>
}

/** ReadyForQuery outside of a transaction: what the server sends once everything before it is durable. */
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

export const startLossyProxy = async (socketPath: string): Promise<LossyProxy> => {
  let armed = false
  let lost = 0
  const sockets = new Set<net.Socket>()
  const listener = net.createServer((near) => {
    const far = net.connect(socketPath)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on("error", () => undefined)
      socket.on("close", () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.on("data", (data) => {
      if (!armed || !data.subarray(-ready.length).equals(ready)) return void near.write(data)
      armed = false
      lost++
      near.destroy()
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  return {
    port: (listener.address() as net.AddressInfo).port,
    loseNextAnswer: () => void (armed = true),
    lost: () => lost,
    stop: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}
