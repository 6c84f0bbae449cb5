/**
 * Fresh proof of who is asking, for what changes accounts or trust. The server answers 403 `reauth_required` until the session
 * has given a second factor within the last minutes; the console then asks for one and does the act again.
 */
import { createSignal } from "solid-js"
import { ApiError } from "./ApiError.ts"

/** A dialog that is waited for. */
export interface StepUp {
  readonly proven: () => void
  readonly given_up: () => void
}

const [asked, setAsked] = createSignal<StepUp | null>(null)
/** What the dialog answers to; null while nobody waits. */
export const stepUpAsked = asked

let asking: Promise<boolean> | null = null

/** One dialog at a time, however many acts wait for it. */
const askForProof = (): Promise<boolean> => {
  asking ??= new Promise<boolean>((resolve) => {
    setAsked({ proven: () => resolve(true), given_up: () => resolve(false) })
  }).finally(() => {
    asking = null
    setAsked(null)
  })
  return asking
}

/** Runs the act; where fresh proof is wanted, asks for it and runs the act once more. Give the same idempotency key both times. */
export const withStepUp = async <A>(act: () => Promise<A>): Promise<A> => {
  try {
    return await act()
  } catch (cause) {
    if (!(cause instanceof ApiError) || cause.code !== "reauth_required") throw cause
    if (await askForProof()) return act()
    throw new ApiError({
      status: cause.status,
      code: cause.code,
      message: "Nothing was changed, because you did not confirm that it is you.",
      request_id: cause.request_id,
      details: cause.details
    })
  }
}
