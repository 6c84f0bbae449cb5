/** What one signs in with beside the password: passkeys, an authenticator app, recovery codes. */
import { createSignal, For, lazy, Show, Suspense, type JSX } from "solid-js"
import type { PasskeyItem } from "#core/Factor.ts"
import { keys } from "../api/keys.ts"
import { readFactors } from "../api/factors.ts"
import { useData } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { AccountRow } from "./AccountRow.tsx"

const AddPasskeyDialog = lazy(() => import("./AddPasskeyDialog.tsx"))
const AddTotpDialog = lazy(() => import("./AddTotpDialog.tsx"))
const RemoveFactorDialog = lazy(() => import("./RemoveFactorDialog.tsx"))
const RecoveryCodesDialog = lazy(() => import("./RecoveryCodesDialog.tsx"))

type Open =
  | { readonly dialog: "add_passkey" | "add_totp" | "recovery_codes" }
  | { readonly dialog: "remove"; readonly passkey: PasskeyItem | null }

/** Fewer than this and somebody should make new ones. */
const FEW_CODES = 3

export const SecondFactors = (): JSX.Element => {
  const factors = useData(() => ({ queryKey: keys.factors, queryFn: ({ signal }) => readFactors(signal) }))
  const [open, setOpen] = createSignal<Open | null>(null)
  const close = (): void => void setOpen(null)
  const removing = () => {
    const now = open()
    return now?.dialog === "remove" ? now : null
  }
  return (
    <section class="card" aria-labelledby="h-factors">
      <header>
        <h2 id="h-factors">Second factors</h2>
        <button class="btn s" type="button" onClick={() => setOpen({ dialog: "add_passkey" })}>
          <Icon name="plus" />
          Add passkey…
        </button>
      </header>
      <DataArea query={factors} what="Your second factors" rows={3}>
        {(data) => (
          <ul>
            <For each={data().passkeys}>
              {(passkey) => (
                <AccountRow
                  icon="key"
                  name={passkey.name}
                  words={
                    <>
                      Passkey, added <Time at={passkey.created_at} as="day" />
                      <Show when={passkey.last_used_at} fallback=", not used yet">
                        {(at) => (
                          <>
                            , last used <Time at={at()} as="ago" />
                          </>
                        )}
                      </Show>
                    </>
                  }
                >
                  <button
                    class="btn s"
                    type="button"
                    aria-label={`Remove passkey ${passkey.name}…`}
                    onClick={() => setOpen({ dialog: "remove", passkey })}
                  >
                    Remove…
                  </button>
                </AccountRow>
              )}
            </For>
            <AccountRow
              icon="phone"
              name="Authenticator app"
              words={
                <Show when={data().totp} fallback="Not set up">
                  {(totp) => (
                    <>
                      Added <Time at={totp().enrolled_at} as="day" />
                    </>
                  )}
                </Show>
              }
            >
              <Show
                when={data().totp !== null}
                fallback={
                  <button class="btn s" type="button" onClick={() => setOpen({ dialog: "add_totp" })}>
                    Set up…
                  </button>
                }
              >
                <button
                  class="btn s"
                  type="button"
                  aria-label="Remove authenticator app…"
                  onClick={() => setOpen({ dialog: "remove", passkey: null })}
                >
                  Remove…
                </button>
              </Show>
            </AccountRow>
            <AccountRow
              icon="shield"
              name="Recovery codes"
              words={
                <span classList={{ warn: data().recovery_codes_left < FEW_CODES }}>
                  {plural(data().recovery_codes_left, "code")} left
                  {data().recovery_codes_left < FEW_CODES ? ": make new ones" : ""}
                </span>
              }
            >
              <button class="btn s" type="button" onClick={() => setOpen({ dialog: "recovery_codes" })}>
                Make new ones…
              </button>
            </AccountRow>
          </ul>
        )}
      </DataArea>
      <Suspense>
        <Show when={open()?.dialog === "add_passkey"}>
          <AddPasskeyDialog onClose={close} />
        </Show>
        <Show when={open()?.dialog === "add_totp"}>
          <AddTotpDialog onClose={close} />
        </Show>
        <Show when={open()?.dialog === "recovery_codes"}>
          <RecoveryCodesDialog onClose={close} />
        </Show>
        <Show when={removing()}>{(which) => <RemoveFactorDialog passkey={which().passkey} onClose={close} />}</Show>
      </Suspense>
    </section>
  )
}
