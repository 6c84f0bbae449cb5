/** Which providers passed their test on this page, in the version they were tested in. */
import { createSignal } from "solid-js"
import type { SsoProvider } from "#core/Sso.ts"

const [passed, setPassed] = createSignal<ReadonlySet<string>>(new Set())

const name = ({ id, version }: Pick<SsoProvider, "id" | "version">): string => `${id}/${version}`

export const notePassed = (provider: SsoProvider): void => void setPassed(new Set([...passed(), name(provider)]))

export const hasPassed = (provider: SsoProvider): boolean => passed().has(name(provider))
