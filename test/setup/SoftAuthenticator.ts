/**
 * A passkey device in software, down to the bytes: CBOR, COSE keys, authenticator data and signatures made here, so that a test can
 * bend any of them (Web Authentication Level 3, §6.1 and §6.5; RFC 8949; RFC 9053).
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

const head = (major: number, value: number): Buffer => {
  if (value < 24) return Buffer.of((major << 5) | value)
  if (value < 256) return Buffer.of((major << 5) | 24, value)
  return Buffer.of((major << 5) | 25, value >> 8, value & 255)
}

type Cbor = number | string | Buffer | ReadonlyMap<number | string, Cbor>

const cbor = (value: Cbor): Buffer => {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  const entries = [...(value as ReadonlyMap<number | string, Cbor>)]
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, one]) => [cbor(key), cbor(one)])])
}

const sha256 = (data: string | Buffer): Buffer => createHash("sha256").update(data).digest()
const base64url = (data: Buffer): string => data.toString("base64url")

export type Algorithm = "ES256" | "EdDSA" | "RS256"

const makeKey = (algorithm: Algorithm): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } =>
  algorithm === "ES256"
    ? generateKeyPairSync("ec", { namedCurve: "P-256" })
    : algorithm === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("rsa", { modulusLength: 2048 })

const coseKey = (key: KeyObject, algorithm: Algorithm, stated?: number): Buffer => {
  const jwk = key.export({ format: "jwk" })
  const part = (name: "x" | "y" | "n" | "e"): Buffer => Buffer.from(String(jwk[name]), "base64url")
  const map: ReadonlyMap<number, Cbor> =
    algorithm === "ES256"
      ? new Map<number, Cbor>([
          [1, 2],
          [3, stated ?? -7],
          [-1, 1],
          [-2, part("x")],
          [-3, part("y")]
        ])
      : algorithm === "EdDSA"
        ? new Map<number, Cbor>([
            [1, 1],
            [3, stated ?? -8],
            [-1, 6],
            [-2, part("x")]
          ])
        : new Map<number, Cbor>([
            [1, 3],
            [3, stated ?? -257],
            [-1, part("n")],
            [-2, part("e")]
          ])
  return cbor(map)
}

/** What a test bends; everything left out is as it should be. */
export interface Bend {
  readonly type?: string
  readonly origin?: string
  readonly challenge?: string
  readonly crossOrigin?: boolean
  readonly topOrigin?: string
  readonly rpId?: string
  readonly userPresent?: boolean
  readonly userVerified?: boolean
  readonly counter?: number
  /** The number of the algorithm in the key's COSE form. */
  readonly algorithm?: number
  /** Sends other client data than was signed. */
  readonly alterAfterSigning?: boolean
  readonly credentialId?: string
  readonly userHandle?: string | null
}

export interface RequestOptions {
  readonly challenge: string
  readonly rpId: string
}

export interface CreationOptions {
  readonly challenge: string
  readonly rp: { readonly id: string }
  readonly user: { readonly id: string }
}

export class SoftAuthenticator {
  readonly credentialId: Buffer = randomBytes(32)
  readonly origin: string
  readonly algorithm: Algorithm
  counter = 0
  userHandle: string | null = null
  readonly #key: ReturnType<typeof makeKey>

  constructor(origin: string, algorithm: Algorithm = "ES256") {
    this.origin = origin
    this.algorithm = algorithm
    this.#key = makeKey(algorithm)
  }

  get id(): string {
    return base64url(this.credentialId)
  }

  #clientData(type: string, challenge: string, bend: Bend): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: bend.type ?? type,
        challenge: bend.challenge ?? challenge,
        origin: bend.origin ?? this.origin,
        crossOrigin: bend.crossOrigin ?? false,
        ...(bend.topOrigin === undefined ? {} : { topOrigin: bend.topOrigin })
      })
    )
  }

  #authenticatorData(rpId: string, bend: Bend, attested: Buffer = Buffer.alloc(0)): Buffer {
    const flags =
      ((bend.userPresent ?? true) ? 0x01 : 0) |
      ((bend.userVerified ?? true) ? 0x04 : 0) |
      (attested.length > 0 ? 0x40 : 0)
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(bend.counter ?? this.counter)
    return Buffer.concat([sha256(bend.rpId ?? rpId), Buffer.of(flags), counter, attested])
  }

  /** What `navigator.credentials.create` would answer. */
  create(options: CreationOptions, bend: Bend = {}) {
    this.userHandle = options.user.id
    const clientData = this.#clientData("webauthn.create", options.challenge, bend)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(this.credentialId.length)
    const key = coseKey(this.#key.publicKey, this.algorithm, bend.algorithm)
    const attested = Buffer.concat([Buffer.alloc(16), length, this.credentialId, key])
    const attestation = new Map<string, Cbor>([
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", this.#authenticatorData(options.rp.id, bend, attested)]
    ])
    const id = bend.credentialId ?? this.id
    return {
      id,
      rawId: id,
      type: "public-key",
      authenticatorAttachment: "platform",
      clientExtensionResults: {},
      response: {
        clientDataJSON: base64url(clientData),
        attestationObject: base64url(cbor(attestation)),
        transports: ["internal"]
      }
    }
  }

  /** What `navigator.credentials.get` would answer; each use counts one up. */
  get(options: RequestOptions, bend: Bend = {}) {
    this.counter++
    const clientData = this.#clientData("webauthn.get", options.challenge, bend)
    const data = this.#authenticatorData(options.rpId, bend)
    const signed = Buffer.concat([data, sha256(clientData)])
    const signature = sign(this.algorithm === "EdDSA" ? null : "sha256", signed, this.#key.privateKey)
    const sent = bend.alterAfterSigning
      ? Buffer.from(clientData.toString("utf8").replace('"crossOrigin":false', '"crossOrigin":false,"extra":1'))
      : clientData
    const id = bend.credentialId ?? this.id
    const userHandle = bend.userHandle === undefined ? this.userHandle : bend.userHandle
    return {
      id,
      rawId: id,
      type: "public-key",
      authenticatorAttachment: "platform",
      clientExtensionResults: {},
      response: {
        clientDataJSON: base64url(sent),
        authenticatorData: base64url(data),
        signature: base64url(signature),
        ...(userHandle === null ? {} : { userHandle })
      }
    }
  }
}
