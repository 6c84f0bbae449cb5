/** The API tokens of all users: the one way in without a second factor, so what each may do and until when stands here. */
import { A } from "@solidjs/router"
import { createSignal, For, Show, type JSX } from "solid-js"
import type { ApiToken } from "#core/ApiToken.ts"
import { listAllTokens, revokeToken } from "../api/access.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { usePages } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import type { Shown } from "../format/states.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { ListCard } from "../kit/ListCard.tsx"
import { now } from "../kit/now.ts"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { say } from "../kit/toasts.ts"
import { usePage } from "../kit/usePage.ts"
import styles from "./Security.module.css"

const DAY_MS = 86_400_000
const SOON_MS = 14 * DAY_MS

const tokenState = (token: ApiToken): Shown => {
  if (token.revoked_at !== null) return { tone: "idle", icon: "minus", word: "Revoked" }
  const left = Date.parse(token.expires_at) - now()
  if (left <= 0) return { tone: "idle", icon: "clock", word: "Expired" }
  if (left < SOON_MS) return { tone: "warn", icon: "clock", word: "Expires soon" }
  return { tone: "quiet", icon: "check", word: "Valid" }
}

const isOver = (token: ApiToken): boolean => token.revoked_at !== null || Date.parse(token.expires_at) <= now()

const RevokeDialog = (props: { token: ApiToken; onClose: () => void }): JSX.Element => {
  const submit = async (): Promise<void> => {
    await revokeToken(props.token.id)
    say(`The token ${props.token.name} is revoked`)
    void queryClient.invalidateQueries({ queryKey: keys.allTokens })
  }
  return (
    <FormDialog
      title={`Revoke ${props.token.name}`}
      act="Revoke token"
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p class="muted">
        Whatever script of {props.token.user.username} uses it is refused from now on. It cannot be brought back.
      </p>
    </FormDialog>
  )
}

const TokenRow = (props: { of: ApiToken; onRevoke: () => void }): JSX.Element => (
  <tr>
    <td class={styles["trim"]}>{props.of.name}</td>
    <td>
      <Show when={may("users:read")} fallback={props.of.user.username}>
        <A href={`/users/${props.of.user.id}`}>{props.of.user.username}</A>
      </Show>
    </td>
    <td>
      <State of={tokenState(props.of)} />
    </td>
    <td class="muted" title={props.of.permissions.join("\n")}>
      {plural(props.of.permissions.length, "permission")}
      {props.of.group_ids === null ? "" : `, ${plural(props.of.group_ids.length, "group")}`}
    </td>
    <td class="muted">
      <Show when={props.of.last_used_at} fallback="Never">
        {(at) => <Time at={at()} as="ago" />}
      </Show>
    </td>
    <td class="muted">
      <Time at={props.of.expires_at} as="day" />
    </td>
    <td class="num">
      <Show when={may("tokens:end") && !isOver(props.of)}>
        <button class="btn s" type="button" aria-label={`Revoke ${props.of.name}`} onClick={() => props.onRevoke()}>
          Revoke
        </button>
      </Show>
    </td>
  </tr>
)

export default function TokensPage(): JSX.Element {
  const page = usePage(() => "API tokens")
  const [revoking, setRevoking] = createSignal<ApiToken | null>(null)
  const tokens = usePages(() => ({
    queryKey: [...keys.allTokens],
    queryFn: ({ pageParam, signal }) => listAllTokens({ cursor: pageParam, limit: 100 }, signal),
    keepPrevious: true
  }))
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>API tokens</h1>
          <p class="sub">
            <Show when={tokens.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => `${plural(first().total, "token")} of all users`}
            </Show>
          </p>
        </div>
        <div class="actions">
          <A class="btn" href="/account">
            Your own tokens
          </A>
        </div>
      </div>
      <ListCard
        what="API tokens"
        query={tokens}
        rows={6}
        more="Show more tokens"
        empty={
          <>
            <b>No API tokens</b>
            <p class="muted">Scripts use them instead of a password. Everybody makes his own on the account page.</p>
          </>
        }
      >
        {(all) => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="API tokens">
            <table class={`tbl ${styles["tokens"]}`}>
              <thead>
                <tr>
                  <th scope="col">Token</th>
                  <th scope="col">User</th>
                  <th scope="col">State</th>
                  <th scope="col">Allows</th>
                  <th scope="col">Last used</th>
                  <th scope="col">Expires</th>
                  <th scope="col">
                    <span class="vh">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={all()}>{(one) => <TokenRow of={one} onRevoke={() => setRevoking(one)} />}</For>
              </tbody>
            </table>
          </div>
        )}
      </ListCard>
      <Show when={revoking()}>{(one) => <RevokeDialog token={one()} onClose={() => setRevoking(null)} />}</Show>
    </main>
  )
}
