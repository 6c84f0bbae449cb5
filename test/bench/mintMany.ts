import { createPrivateKey, randomBytes, sign, X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { Authority } from "#actors/pki/Authority.ts"
import { HostId } from "#core/Ids.ts"
import type { Identity } from "#test/fleet/Misbehaviour.ts"

const templateId = HostId.make("ffffffff-eeee-7ddd-8ccc-bbbbbbbbbbbb")
const templateAddress = "127.251.252.253"

/** Length of a DER element's head and of its content. */
const measure = (der: Buffer, at: number): { readonly head: number; readonly content: number } => {
  const first = der[at + 1] ?? 0
  if (first < 0x80) return { head: 2, content: first }
  const bytes = first & 0x7f
  return { head: 2 + bytes, content: der.readUIntBE(at + 2, bytes) }
}

const element = (tag: number, content: Buffer): Buffer => {
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

const replaceAll = (der: Buffer, from: Buffer, to: Buffer): void => {
  for (let at = der.indexOf(from); at >= 0; at = der.indexOf(from, at + 1)) to.copy(der, at)
}

const bytesOf = (address: string): Buffer => Buffer.from(address.split(".").map(Number))

/**
 * Host certificates by the thousand: one is issued by the authority, the others are its bytes with another id, address and
 * serial number, signed anew. All share one key. About 0.1 ms each instead of 4 ms.
 */
export const mintMany = async (
  secretsDir: string,
  hosts: ReadonlyArray<{ readonly id: HostId; readonly address: string }>
): Promise<ReadonlyArray<Identity & { readonly address: string }>> => {
  const template = await Effect.runPromise(
    Effect.flatMap(Authority, ({ issueHost }) =>
      issueHost({ hostId: templateId, fqdn: null, address: templateAddress })
    ).pipe(Effect.provide(Authority.layer(secretsDir)))
  )
  const key = createPrivateKey(readFileSync(join(secretsDir, "ca.key.pem")))
  const whole = new X509Certificate(template.certificate_pem).raw
  const start = measure(whole, 0).head
  const tbsSize = measure(whole, start)
  const end = start + tbsSize.head + tbsSize.content
  const algorithmSize = measure(whole, end)
  const algorithm = whole.subarray(end, end + algorithmSize.head + algorithmSize.content)
  return hosts.map(({ id, address }) => {
    const tbs = Buffer.from(whole.subarray(start, end))
    const serial = randomBytes(16)
    serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
    replaceAll(tbs, Buffer.from(template.serial, "hex"), serial)
    replaceAll(tbs, Buffer.from(templateId), Buffer.from(id))
    replaceAll(tbs, bytesOf(templateAddress), bytesOf(address))
    const signature = element(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", tbs, key)]))
    const certificate = new X509Certificate(element(0x30, Buffer.concat([tbs, algorithm, signature])))
    return { address, certificate_pem: certificate.toString(), private_key_pem: template.private_key_pem }
  })
}
