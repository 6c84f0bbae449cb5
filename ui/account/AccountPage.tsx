/** One's own account: who one is here, how one signs in, where one is signed in, and what scripts may do in one's name. */
import type { JSX } from "solid-js"
import { usePage } from "../kit/usePage.ts"
import { useCrumb } from "../shell/crumbs.ts"
import { ApiTokens } from "./ApiTokens.tsx"
import { Profile } from "./Profile.tsx"
import { SecondFactors } from "./SecondFactors.tsx"
import { Sessions } from "./Sessions.tsx"
import styles from "./Account.module.css"

export default function AccountPage(): JSX.Element {
  const page = usePage(() => "Your account")
  useCrumb(() => "Your account")
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Your account</h1>
          <p class="sub">Changes here are in the audit log. Some ask for a second factor once more.</p>
        </div>
      </div>
      <div class={`cols ${styles["cols"]}`}>
        <div class={styles["side"]}>
          <Profile />
        </div>
        <div class={styles["side"]}>
          <SecondFactors />
          <Sessions />
          <ApiTokens />
        </div>
      </div>
    </main>
  )
}
