import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Fleet, FleetOptions } from "./Fleet.ts"
import { startFleet } from "./Fleet.ts"
import type { Identity } from "./Misbehaviour.ts"
import type { RawAnswer, RawCall } from "./rawCall.ts"
import { rawCall } from "./rawCall.ts"
import { TestCa } from "./testCa.ts"

/** A running fleet whose hosts have certificates of a test CA, and a caller that the agents accept. */
export interface TestFleet {
  readonly fleet: Fleet
  readonly ca: TestCa
  readonly client: Identity
  readonly call: (
    address: string,
    path: string,
    options?: Partial<Omit<RawCall, "address" | "path" | "port">>
  ) => Promise<RawAnswer>
  readonly stop: () => Promise<void>
}

/** Starts a fleet on a free port in a folder of its own; `stop` removes both. */
export const makeTestFleet = async (options: Omit<FleetOptions, "dir">): Promise<TestFleet> => {
  const dir = await mkdtemp(join(tmpdir(), "fleet-"))
  const ca = await TestCa.make()
  const client = await ca.client()
  const fleet = await startFleet({ port: 0, ...options, dir })
  fleet.setCa(ca.certificatePem)
  for (const host of fleet.hosts()) fleet.setIdentity(host.address, await ca.hostOnSharedKey(host), { persist: false })
  return {
    fleet,
    ca,
    client,
    call: (address, path, extra = {}) =>
      rawCall({ address, port: fleet.port, ca: ca.certificatePem, client, path, ...extra }),
    stop: async () => {
      await fleet.stop()
      await rm(dir, { recursive: true, force: true })
    }
  }
}

/** Asks until the answer is what is waited for; fails after the deadline. */
export const until = async <A>(
  ask: () => A | Promise<A>,
  fits: (answer: Awaited<A>) => boolean,
  deadlineMs = 5_000
): Promise<Awaited<A>> => {
  const end = Date.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (fits(answer)) return answer
    if (Date.now() > end)
      throw new Error(`Waited ${deadlineMs} ms in vain; the last answer was ${JSON.stringify(answer)?.slice(0, 2000)}`)
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
}
