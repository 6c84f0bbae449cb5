/** Said to somebody whose password was made by the installation or by an administrator. */
import { createSignal, lazy, Show, Suspense, type JSX } from "solid-js"
import { user } from "../api/session.ts"
import { Icon } from "../kit/Icon.tsx"

const PasswordDialog = lazy(() => import("../shell/PasswordDialog.tsx"))

export const PasswordNotice = (): JSX.Element => {
  const [changing, setChanging] = createSignal(false)
  return (
    <>
      <Show when={user()?.must_change_password}>
        <div class="banner">
          <Icon name="warning" />
          <p>You still use the password that was made for you. Choose one that only you know.</p>
          <button class="btn s" type="button" onClick={() => setChanging(true)}>
            Change password…
          </button>
        </div>
      </Show>
      <Suspense>
        <Show when={changing()}>
          <PasswordDialog onClose={() => setChanging(false)} />
        </Show>
      </Suspense>
    </>
  )
}
