/** Who one is here, and one's password. */
import { createSignal, lazy, Show, Suspense, type JSX } from "solid-js"
import { user } from "../api/session.ts"
import { Time } from "../kit/Time.tsx"
import { roleWords } from "./roleWords.ts"
import styles from "./Account.module.css"

const PasswordDialog = lazy(() => import("../shell/PasswordDialog.tsx"))

export const Profile = (): JSX.Element => {
  const [changing, setChanging] = createSignal(false)
  return (
    <section class="card" aria-labelledby="h-profile">
      <header>
        <h2 id="h-profile">Profile</h2>
      </header>
      <Show when={user()}>
        {(me) => (
          <dl class={`kv pad ${styles["facts"]}`}>
            <dt>User name</dt>
            <dd>{me().username}</dd>
            <dt>Name</dt>
            <dd>{me().display_name === "" ? <span class="muted">None</span> : me().display_name}</dd>
            <dt>Role</dt>
            <dd>{roleWords[me().role]}</dd>
            <dt>Since</dt>
            <dd>
              <Time at={me().created_at} as="day" />
            </dd>
            <dt>Password</dt>
            <dd>
              <button class="btn s" type="button" onClick={() => setChanging(true)}>
                Change password…
              </button>
            </dd>
          </dl>
        )}
      </Show>
      <p class={`muted sm ${styles["note"]}`}>An administrator changes your name, your role and your groups.</p>
      <Suspense>
        <Show when={changing()}>
          <PasswordDialog onClose={() => setChanging(false)} />
        </Show>
      </Suspense>
    </section>
  )
}
