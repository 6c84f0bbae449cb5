/** Switches a provider on or off; on without a passed test only after saying so. */
import { createSignal, Show, untrack, type JSX } from "solid-js"
import type { SsoProvider } from "#core/Sso.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { changeSsoProvider } from "../api/ssoProviders.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { say } from "../kit/toasts.ts"
import { hasPassed } from "./testedProviders.ts"

export default function SwitchDialog(props: { provider: SsoProvider; onClose: () => void }): JSX.Element {
  const provider = untrack(() => props.provider)
  const [sure, setSure] = createSignal(false)
  const enabled = !provider.enabled
  const untested = (): boolean => enabled && !hasPassed(provider)
  const submit = async (): Promise<void> => {
    await changeSsoProvider(provider, { enabled })
    void queryClient.invalidateQueries({ queryKey: keys.ssoProviders })
    say(enabled ? `People can sign in with ${provider.name} now` : `Nobody signs in with ${provider.name} any more`)
  }
  return (
    <FormDialog
      title={enabled ? `Switch ${provider.name} on` : `Switch ${provider.name} off`}
      act={enabled ? "Switch on" : "Switch off"}
      danger={!enabled}
      ready={!untested() || sure()}
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <Show
        when={enabled}
        fallback={
          <p class="muted">
            The button leaves the sign-in page. Sessions that are open go on to their end; to end them, go to Sessions.
          </p>
        }
      >
        <p class="muted">
          The sign-in page gets a button. Whoever is in a mapped group gets an account at his first sign-in, with that
          group's role.
        </p>
        <Show when={provider.mappings.every(({ role }) => role === null)}>
          <div class="banner" role="alert">
            <Icon name="warning" />
            <p>No group gives a role yet, so nobody will be let in. Add mappings first.</p>
          </div>
        </Show>
        <Show when={untested()}>
          <label class="inline">
            <input
              class="ck"
              type="checkbox"
              checked={sure()}
              onChange={(event) => setSure(event.currentTarget.checked)}
            />
            Switch it on although its connection was not tested as it is now
          </label>
        </Show>
      </Show>
    </FormDialog>
  )
}
