/** Ends an API token; the script that has it is refused from its next call on. */
import type { JSX } from "solid-js"
import type { ApiToken } from "#core/ApiToken.ts"
import { revokeToken } from "../api/account.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { withStepUp } from "../api/stepUp.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"

export default function RevokeTokenDialog(props: { token: ApiToken; onClose: () => void }): JSX.Element {
  const submit = async (): Promise<void> => {
    const { id, name } = props.token
    await withStepUp(() => revokeToken(id))
    void queryClient.invalidateQueries({ queryKey: keys.ownTokens })
    say(`API token ${name} revoked`)
  }
  return (
    <FormDialog
      title={`Revoke API token ${props.token.name}`}
      act="Revoke API token"
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p>What uses it is refused from its next call on. This cannot be undone; make a new one instead.</p>
    </FormDialog>
  )
}
