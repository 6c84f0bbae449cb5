/** Where one is signed in. A session that is ended opens nothing from its next request on. */
import { createMemo, createSignal, For, Show, type JSX } from "solid-js"
import type { SessionFactor, SessionItem } from "#core/Session.ts"
import { endOtherSessions, endOwnSession, listOwnSessions } from "../api/account.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { usePages } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Time } from "../kit/Time.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import { AccountRow } from "./AccountRow.tsx"
import { agentName } from "./agentName.ts"
import styles from "./Account.module.css"

const factorWords: Readonly<Record<SessionFactor, string>> = {
  totp: "with an authenticator app",
  passkey: "with a passkey",
  recovery_code: "with a recovery code",
  sso: "through the identity provider",
  machine: "on the manager's machine",
  sealed: "with the sealed password"
}

const About = (props: { session: SessionItem }): JSX.Element => (
  <>
    {props.session.source_address ?? "Unknown address"}, signed in <Time at={props.session.signed_in_at} />{" "}
    {props.session.factor === null
      ? "with the password only, second factor not given"
      : factorWords[props.session.factor]}
    <Show when={!props.session.current}>
      , last active <Time at={props.session.last_active_at} as="ago" />
    </Show>
  </>
)

export const Sessions = (): JSX.Element => {
  const [busy, setBusy] = createSignal(false)
  const sessions = usePages(() => ({
    queryKey: keys.ownSessions,
    queryFn: ({ pageParam, signal }) => listOwnSessions({ cursor: pageParam, limit: 20 }, signal)
  }))
  const all = createMemo(() => (sessions.data?.pages ?? []).flatMap(({ items }) => items))
  const run = async (act: () => Promise<string>, failed: string): Promise<void> => {
    setBusy(true)
    try {
      say(await act())
    } catch (cause) {
      sayFailed(failed, cause)
    } finally {
      setBusy(false)
      void queryClient.invalidateQueries({ queryKey: keys.ownSessions })
    }
  }
  const end = (session: SessionItem): Promise<void> =>
    run(async () => {
      await endOwnSession(session.id)
      return "Session ended"
    }, "The session was not ended")
  const endOthers = (): Promise<void> =>
    run(async () => `${plural(await endOtherSessions(), "session")} ended`, "Not all sessions were ended")
  return (
    <section class="card" aria-labelledby="h-sessions">
      <header>
        <h2 id="h-sessions">Sessions</h2>
        <Show when={all().some(({ current }) => !current)}>
          <button class="btn s" type="button" disabled={busy()} onClick={() => void endOthers()}>
            End all others
          </button>
        </Show>
      </header>
      <DataArea query={sessions} what="Your sessions" rows={2}>
        {() => (
          <ul>
            <For each={all()}>
              {(session) => (
                <AccountRow
                  icon={/Mobile|Android|iPhone|iPad/.test(session.user_agent) ? "phone" : "host"}
                  name={
                    <>
                      {agentName(session.user_agent)}
                      <Show when={session.current}>
                        <span class={`st badge idle ${styles["here"]}`}>This session</span>
                      </Show>
                    </>
                  }
                  words={<About session={session} />}
                >
                  <Show when={!session.current}>
                    <button
                      class="btn s"
                      type="button"
                      disabled={busy()}
                      aria-label={`End the session of ${agentName(session.user_agent)} from ${session.source_address ?? "an unknown address"}`}
                      onClick={() => void end(session)}
                    >
                      End
                    </button>
                  </Show>
                </AccountRow>
              )}
            </For>
          </ul>
        )}
      </DataArea>
      <Show when={sessions.hasNextPage}>
        <div class={styles["foot"]}>
          <button
            class="btn quiet s"
            type="button"
            disabled={sessions.isFetching}
            onClick={() => void sessions.fetchNextPage()}
          >
            Show more sessions
          </button>
        </div>
      </Show>
    </section>
  )
}
