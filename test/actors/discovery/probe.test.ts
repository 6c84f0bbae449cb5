import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { probe, probeContext } from "#actors/discovery/probe.ts"
import { HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { makeNeighbours, type Neighbours } from "./neighbours.ts"

const host = newId(HostId)
let around: Neighbours
beforeAll(async () => {
  around = await makeNeighbours()
  await around.agent("127.44.0.1", host)
  await around.agent("127.44.0.2", null)
  await around.agent("127.44.0.3", host, { days: 1, notBefore: new Date(Date.now() - 10 * 86_400_000) })
  await around.foreignAgent("127.44.0.4", null)
  await around.foreignAgent("127.44.0.5", host)
  await around.foreignWeb("127.44.0.6")
  await around.ourWeb("127.44.0.7")
  await around.oldTls("127.44.0.8")
  await around.talker("127.44.0.9")
  await around.closing("127.44.0.10")
  await around.silent("127.44.0.12")
})
afterAll(() => around.stop())

const look = (address: string, signal = AbortSignal.timeout(9_000)) =>
  probe(
    address,
    probeContext({
      port: around.port,
      ca_pem: around.ca.certificate_pem,
      pace: { enter: () => Promise.resolve(), leave: () => undefined },
      signal
    })
  )

describe("a probe", () => {
  it.each([
    ["a host certificate of ours", 1, "agent", true],
    ["ours without a host id that wants a client certificate", 2, "agent", false],
    ["a host certificate of ours that has expired", 3, "agent", true],
    ["another certificate that wants a client certificate", 4, "agent_other_certificate", null],
    ["our host's id in a certificate that is not ours", 5, "agent_other_certificate", null],
    ["another certificate that asks for none", 6, "other_service", null],
    ["our own console", 7, "other_service", null],
    ["TLS 1.2", 8, "other_service", null],
    ["no TLS at all", 9, "other_service", null],
    ["a connection closed at once", 10, "other_service", null],
    ["nobody there", 11, "closed", null],
    ["somebody who says nothing", 12, "no_answer", null]
  ])("finds %s", async (_what, last, verdict, ours) => {
    expect(await look(`127.44.0.${last}`)).toEqual({
      address: `127.44.0.${last}`,
      verdict,
      fqdn: ours === null ? null : "web-01.example.test",
      host_id: ours === true ? host : null
    })
  })

  it("ends at the scan's deadline, whatever stage it is in", async () => {
    const began = performance.now()
    expect(await look("127.44.0.12", AbortSignal.timeout(200))).toMatchObject({ verdict: "no_answer" })
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})
