/** Signing in, one step after the other in the same card; which step it is, the session says. */
import { createSignal, Match, Switch, type JSX } from "solid-js"
import { session, type Session } from "../api/session.ts"
import { Logo } from "../kit/Icon.tsx"
import { usePage } from "../kit/usePage.ts"
import { EnrolFactor } from "./EnrolFactor.tsx"
import { NameAndPassword } from "./NameAndPassword.tsx"
import { NewPasswordStep } from "./NewPasswordStep.tsx"
import { SecondFactorStep } from "./SecondFactorStep.tsx"
import styles from "./SignInPage.module.css"

const at = <State extends Session["state"]>(state: State): Extract<Session, { state: State }> | undefined => {
  const now = session()
  return now.state === state ? (now as Extract<Session, { state: State }>) : undefined
}

export default function SignInPage(): JSX.Element {
  usePage(() => "Sign in")
  const [name, setName] = createSignal("")
  /** Kept for the step in which a password that somebody else made is changed, so that it is typed once. */
  const [password, setPassword] = createSignal("")
  return (
    <div class={styles["signin"]}>
      <header>
        <span class="brand">
          <Logo />
          <span>Patch Manager</span>
        </span>
        <span>{location.hostname}</span>
      </header>
      <main id="main">
        <Switch>
          <Match when={at("mfa_required")}>
            {(now) => <SecondFactorStep username={name()} factors={now().factors} />}
          </Match>
          <Match when={at("enrolment_required")}>
            {(now) => <EnrolFactor username={name()} factors={now().factors} />}
          </Match>
          <Match when={at("password_change_required")}>
            {(now) => <NewPasswordStep user={now().user} known={password()} />}
          </Match>
          <Match when={at("signed_out")}>
            {(now) => <NameAndPassword name={name()} onName={setName} onPassword={setPassword} why={now().why} />}
          </Match>
        </Switch>
      </main>
      <footer>
        <span>Version {__CONSOLE_VERSION__}</span>
        <span>All sign-ins are recorded in the audit log.</span>
      </footer>
    </div>
  )
}
