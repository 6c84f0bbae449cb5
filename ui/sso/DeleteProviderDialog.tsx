/** Deletes a provider after saying what becomes of its people. */
import { Show, type JSX } from "solid-js"
import type { SsoProvider } from "#core/Sso.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { deleteSsoProvider } from "../api/ssoProviders.ts"
import { plural } from "../format/numbers.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"

export default function DeleteProviderDialog(props: { provider: SsoProvider; onClose: () => void }): JSX.Element {
  const submit = async (): Promise<void> => {
    await deleteSsoProvider(props.provider.id)
    say(`${props.provider.name} is deleted`)
    void queryClient.invalidateQueries({ queryKey: keys.ssoProviders })
  }
  return (
    <FormDialog
      title={`Delete ${props.provider.name}`}
      act="Delete provider"
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p class="muted">Its client secret and its mappings go for good. To take it away for a while, switch it off.</p>
      <Show when={props.provider.identities_total > 0}>
        <p class="muted">
          {plural(props.provider.identities_total, "account")} came through it and will have no way to sign in. A
          provider added later with the same issuer finds them again.
        </p>
      </Show>
    </FormDialog>
  )
}
