/** Listeners of every kind on loopback addresses, all on one port, as a scan may meet them. */
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createServer as createTlsServer, type TlsOptions } from "node:tls"
import { Effect } from "effect"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { type KeyPair, makeIssuer, mintAuthority } from "#actors/pki/mint.ts"
import { type HostId, hostUri } from "#core/Ids.ts"

export const makeNeighbours = async () => {
  const folder = await mkdtemp(join(tmpdir(), "neighbours-"))
  const { ca, web } = await Effect.runPromise(ensureAuthority(folder))
  const foreign = await mintAuthority(1)
  const servers = new Set<Server>()
  const sockets = new Set<Socket>()
  let port = 0

  const listen = async (server: Server, address: string): Promise<void> => {
    server.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
      socket.on("close", () => sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen({ host: address, port, backlog: 511 }, resolve)
    })
    servers.add(server)
    const bound = server.address()
    if (typeof bound === "object" && bound !== null) port = bound.port
  }

  const tls = (address: string, options: TlsOptions) => {
    const server = createTlsServer(options)
    server.on("tlsClientError", () => undefined)
    return listen(server, address)
  }
  const shown = ({ certificate_pem, private_key_pem }: KeyPair) => ({ cert: certificate_pem, key: private_key_pem })
  const wantsOurs = {
    ca: ca.certificate_pem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3"
  } as const

  const leaf = async (
    of: KeyPair,
    address: string,
    host: HostId | null,
    validity: { readonly days?: number; readonly notBefore?: Date } = {}
  ) =>
    (await makeIssuer(of))({
      commonName: "x",
      names: [
        { type: "dns", value: "web-01.example.test" },
        { type: "ip", value: address },
        ...(host === null ? [] : [{ type: "url" as const, value: hostUri(host) }])
      ],
      purpose: "server",
      days: 30,
      ...validity
    })

  return {
    folder,
    ca,
    get port() {
      return port
    },
    agent: async (address: string, host: HostId | null, validity?: { days: number; notBefore: Date }) =>
      tls(address, { ...wantsOurs, ...shown(await leaf(ca, address, host, validity)) }),
    /** One of another installation, even where it claims the id of one of our hosts. */
    foreignAgent: async (address: string, host: HostId | null) =>
      tls(address, { ...wantsOurs, ca: foreign.certificate_pem, ...shown(await leaf(foreign, address, host)) }),
    foreignWeb: async (address: string) => tls(address, shown(await leaf(foreign, address, null))),
    ourWeb: (address: string) => tls(address, shown(web)),
    oldTls: async (address: string) =>
      tls(address, { ...shown(await leaf(foreign, address, null)), maxVersion: "TLSv1.2" }),
    silent: (address: string) => listen(createServer(), address),
    talker: (address: string) =>
      listen(
        createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n")),
        address
      ),
    closing: (address: string) =>
      listen(
        createServer((socket) => socket.destroy()),
        address
      ),
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await Promise.all([...servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
      await rm(folder, { recursive: true, force: true })
    }
  }
}

export type Neighbours = Awaited<ReturnType<typeof makeNeighbours>>
