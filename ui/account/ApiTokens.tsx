/** What scripts may do in one's name. */
import { createMemo, createSignal, For, lazy, Show, Suspense, type JSX } from "solid-js"
import type { ApiToken } from "#core/ApiToken.ts"
import { listOwnTokens } from "../api/account.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { usePages } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { now } from "../kit/now.ts"
import { Time } from "../kit/Time.tsx"
import { AccountRow } from "./AccountRow.tsx"
import styles from "./Account.module.css"

const TokenDialog = lazy(() => import("./TokenDialog.tsx"))
const RevokeTokenDialog = lazy(() => import("./RevokeTokenDialog.tsx"))

const Ends = (props: { token: ApiToken }): JSX.Element => (
  <Show
    when={props.token.revoked_at}
    fallback={
      <>
        {Date.parse(props.token.expires_at) > now() ? "expires" : "expired"}{" "}
        <Time at={props.token.expires_at} as="day" />
      </>
    }
  >
    {(at) => (
      <>
        revoked <Time at={at()} as="day" />
      </>
    )}
  </Show>
)

const works = (token: ApiToken): boolean => token.revoked_at === null && Date.parse(token.expires_at) > now()

export const ApiTokens = (): JSX.Element => {
  const tokens = usePages(() => ({
    queryKey: keys.ownTokens,
    queryFn: ({ pageParam, signal }) => listOwnTokens({ cursor: pageParam, limit: 20 }, signal)
  }))
  const all = createMemo(() => (tokens.data?.pages ?? []).flatMap(({ items }) => items))
  const [making, setMaking] = createSignal(false)
  const [revoking, setRevoking] = createSignal<ApiToken | null>(null)
  return (
    <section class="card" aria-labelledby="h-tokens">
      <header>
        <h2 id="h-tokens">API tokens</h2>
        <Show when={may("tokens:create")}>
          <button class="btn s" type="button" onClick={() => setMaking(true)}>
            <Icon name="plus" />
            Make API token…
          </button>
        </Show>
      </header>
      <DataArea
        query={tokens}
        what="Your API tokens"
        rows={2}
        isEmpty={() => all().length === 0}
        empty={
          <div class="empty">
            <b>No API tokens</b>
            <p class="muted">
              A script signs in with one. It can do at most what you can, and never change accounts, second factors or
              trust.
            </p>
          </div>
        }
      >
        {() => (
          <ul>
            <For each={all()}>
              {(token) => (
                <AccountRow
                  icon="key"
                  name={<span classList={{ muted: !works(token) }}>{token.name}</span>}
                  words={
                    <>
                      <span title={token.permissions.join("\n")}>{plural(token.permissions.length, "permission")}</span>
                      <Show when={token.group_ids}>{(groups) => <>, {plural(groups().length, "group")}</>}</Show>,{" "}
                      <Ends token={token} />
                      <Show when={token.last_used_at} fallback=", never used">
                        {(at) => (
                          <>
                            , last used <Time at={at()} as="ago" />
                          </>
                        )}
                      </Show>
                    </>
                  }
                >
                  <Show when={works(token)}>
                    <button
                      class="btn s"
                      type="button"
                      aria-label={`Revoke API token ${token.name}…`}
                      onClick={() => setRevoking(token)}
                    >
                      Revoke…
                    </button>
                  </Show>
                </AccountRow>
              )}
            </For>
          </ul>
        )}
      </DataArea>
      <Show when={tokens.hasNextPage}>
        <div class={styles["foot"]}>
          <button
            class="btn quiet s"
            type="button"
            disabled={tokens.isFetching}
            onClick={() => void tokens.fetchNextPage()}
          >
            Show more API tokens
          </button>
        </div>
      </Show>
      <Suspense>
        <Show when={making()}>
          <TokenDialog onClose={() => setMaking(false)} />
        </Show>
        <Show when={revoking()}>
          {(token) => <RevokeTokenDialog token={token()} onClose={() => setRevoking(null)} />}
        </Show>
      </Suspense>
    </section>
  )
}
