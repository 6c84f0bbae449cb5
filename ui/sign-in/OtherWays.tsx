/** Ways to sign in that need no name: an identity provider, or a passkey. */
import { createResource, For, type JSX } from "solid-js"
import { readProviders, ssoStart } from "../api/sso.ts"
import { Icon } from "../kit/Icon.tsx"
import styles from "./SignInPage.module.css"

/** This page without what an earlier sign-in left in its address. */
const page = (): string => {
  const search = new URLSearchParams(location.search)
  search.delete("sso_error")
  const path = location.pathname === "/sign-in" ? "/" : location.pathname
  return search.size === 0 ? path : `${path}?${search}`
}

export const OtherWays = (props: { disabled: boolean; onPasskey: () => void }): JSX.Element => {
  // Without an answer there is still the password.
  const [providers] = createResource(() => readProviders().catch(() => []))
  return (
    <>
      <div class={styles["ways"]}>
        <For each={providers.latest}>
          {(provider) => (
            <a class="btn big" href={ssoStart(provider.id, page())} rel="external">
              <Icon name="globe" />
              <span class="trunc">Continue with {provider.name}</span>
            </a>
          )}
        </For>
        <button class="btn big" type="button" disabled={props.disabled} onClick={() => props.onPasskey()}>
          <Icon name="key" />
          Use a passkey
        </button>
      </div>
      <p class={styles["or"]}>or</p>
    </>
  )
}
