import { readFileSync } from "node:fs"

/** One byte fixture of the agents' contract. */
export interface Fixture {
  readonly file: string
  readonly kind: string
  /** The generation that sends it, or `any`. */
  readonly profile: string
  readonly status: number | null
  readonly content_type: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly note?: string
}

const folder = new URL("../fixtures/agent/", import.meta.url)

/** Every fixture there is, in the order of the index. */
export const fixtures: ReadonlyArray<Fixture> = JSON.parse(readFileSync(new URL("index.json", folder), "utf8"))

/** The bytes of a fixture, as text. */
export const fixtureText = (file: string): string => readFileSync(new URL(file, folder), "utf8")

/** A fixture as JSON. */
export const fixtureJson = (file: string): unknown => JSON.parse(fixtureText(file))
