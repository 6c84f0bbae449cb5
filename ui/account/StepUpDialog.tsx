/** Asks who is there before accounts or trust are changed; see `withStepUp`. */
import { createSignal, For, onCleanup, Show, untrack, type JSX } from "solid-js"
import type { FactorKind } from "#core/Session.ts"
import type { Me } from "#http/api/Auth.ts"
import { getJson } from "../api/client.ts"
import { keys } from "../api/keys.ts"
import { readProviders, ssoStart } from "../api/sso.ts"
import type { StepUp } from "../api/stepUp.ts"
import { useData } from "../api/useData.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Dialog } from "../kit/Dialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { SecondFactorForm } from "./SecondFactorForm.tsx"

/** Whose second factors the identity provider keeps proves himself there, and comes back to this page. */
const ProveElsewhere = (props: { cancel: JSX.Element }): JSX.Element => {
  const providers = useData(() => ({ queryKey: keys.signInProviders, queryFn: readProviders }))
  return (
    <>
      <p>You have no second factor here. Sign in anew at your identity provider, then repeat the change.</p>
      <DataArea query={providers} what="Identity providers" rows={1}>
        {(all) => (
          <For each={all()}>
            {(provider) => (
              <a class="btn" href={ssoStart(provider.id, location.pathname + location.search, true)} rel="external">
                <Icon name="globe" />
                Continue with {provider.name}
              </a>
            )}
          </For>
        )}
      </DataArea>
      <div>{props.cancel}</div>
    </>
  )
}

export default function StepUpDialog(props: { asked: StepUp }): JSX.Element {
  // The answer is given when nobody asks any more, and then the property is gone.
  const asked = untrack(() => props.asked)
  const [open, setOpen] = createSignal(true)
  const me = useData(() => ({
    queryKey: keys.me,
    queryFn: ({ signal }) => getJson<Me>("/api/v1/auth/me", { signal }),
    staleTime: 0
  }))
  const giveUp = (): void => {
    setOpen(false)
    asked.given_up()
  }
  // The page may go while the dialog stands, as when the session ends.
  onCleanup(() => asked.given_up())
  const cancel = (): JSX.Element => (
    <button class="btn quiet s" type="button" onClick={giveUp}>
      Cancel
    </button>
  )
  return (
    <Dialog open={open()} onClose={giveUp} title="Confirm that it is you" size="small">
      <p class="muted">This changes accounts or trust. Give a second factor once more; it counts for five minutes.</p>
      <DataArea query={me} what="Your second factors" rows={2}>
        {(data) => (
          <For each={[data().factors]}>
            {(factors: ReadonlyArray<FactorKind>) => (
              <Show when={factors.length > 0} fallback={<ProveElsewhere cancel={cancel()} />}>
                <SecondFactorForm
                  factors={factors}
                  act="Confirm"
                  id="step-up"
                  onProven={() => asked.proven()}
                  cancel={cancel()}
                />
              </Show>
            )}
          </For>
        )}
      </DataArea>
    </Dialog>
  )
}
