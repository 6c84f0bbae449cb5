/** Who is signed in where, everybody's; one that is ended opens nothing from its next request on. */
import { A, useSearchParams } from "@solidjs/router"
import { createSignal, For, Show, type JSX } from "solid-js"
import type { SessionItem } from "#core/Session.ts"
import { agentName } from "../account/agentName.ts"
import { endSession, listSessions } from "../api/access.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { useData, usePages } from "../api/useData.ts"
import { readUser } from "../api/users.ts"
import { plural } from "../format/numbers.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { ListCard } from "../kit/ListCard.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { say } from "../kit/toasts.ts"
import { usePage } from "../kit/usePage.ts"
import { sessionState } from "./sessionWords.ts"
import styles from "./Security.module.css"

const EndDialog = (props: { session: SessionItem; onClose: () => void }): JSX.Element => {
  const submit = async (): Promise<void> => {
    await endSession(props.session.id)
    say(`The session of ${props.session.user.username} has ended`)
    void queryClient.invalidateQueries({ queryKey: keys.allSessions })
  }
  return (
    <FormDialog
      title={`End a session of ${props.session.user.username}`}
      act="End session"
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p class="muted">
        {agentName(props.session.user_agent)} at {props.session.source_address ?? "an unknown address"}. Its next
        request is refused, and open live pages close within five seconds.
      </p>
    </FormDialog>
  )
}

const SessionRow = (props: { of: SessionItem; onEnd: () => void }): JSX.Element => (
  <tr>
    <td class={styles["trim"]}>
      <Show when={may("users:read")} fallback={props.of.user.username}>
        <A href={`/users/${props.of.user.id}`}>{props.of.user.username}</A>
      </Show>
      <Show when={props.of.current}>
        <span class="muted"> · this one</span>
      </Show>
    </td>
    <td>
      <State of={sessionState(props.of)} />
    </td>
    <td class={`muted ${styles["trim"]}`} title={props.of.user_agent}>
      {agentName(props.of.user_agent)}
    </td>
    <td class="mono">{props.of.source_address ?? "–"}</td>
    <td class="muted">
      <Time at={props.of.signed_in_at} />
    </td>
    <td class="muted">
      <Time at={props.of.last_active_at} as="ago" />
    </td>
    <td class="num">
      <Show when={may("sessions:end") && !props.of.current}>
        <button
          class="btn s"
          type="button"
          aria-label={`End session of ${props.of.user.username}`}
          onClick={() => props.onEnd()}
        >
          End
        </button>
      </Show>
    </td>
  </tr>
)

export default function SessionsPage(): JSX.Element {
  const page = usePage(() => "Sessions")
  const [parameters, setParameters] = useSearchParams<{ user?: string }>()
  const [ending, setEnding] = createSignal<SessionItem | null>(null)
  const sessions = usePages(() => ({
    queryKey: [...keys.allSessions, parameters.user ?? ""],
    queryFn: ({ pageParam, signal }) =>
      listSessions({ user_id: parameters.user, cursor: pageParam, limit: 100 }, signal),
    keepPrevious: true
  }))
  const person = useData(() => ({
    queryKey: [...keys.user(parameters.user ?? ""), "detail"],
    queryFn: ({ signal }) => readUser(parameters.user ?? "", signal),
    enabled: parameters.user !== undefined && may("users:read")
  }))
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Sessions</h1>
          <p class="sub">
            <Show when={sessions.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => `${plural(first().total, "session")} open`}
            </Show>
          </p>
        </div>
      </div>
      <Show when={parameters.user}>
        <div class={styles["narrow"]}>
          <span class="tag">
            Of {person.data?.username ?? "one user"}
            <button type="button" aria-label="Show everybody's" onClick={() => setParameters({ user: undefined })}>
              <Icon name="close" />
            </button>
          </span>
        </div>
      </Show>
      <ListCard
        what="Sessions"
        query={sessions}
        rows={6}
        more="Show more sessions"
        empty={
          <>
            <b>No session is open</b>
            <p class="muted">Nobody is signed in here at this moment.</p>
          </>
        }
      >
        {(all) => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="Sessions">
            <table class={`tbl ${styles["sessions"]}`}>
              <thead>
                <tr>
                  <th scope="col">User</th>
                  <th scope="col">Signed in with</th>
                  <th scope="col">Browser</th>
                  <th scope="col">Address</th>
                  <th scope="col">Signed in</th>
                  <th scope="col">Last active</th>
                  <th scope="col">
                    <span class="vh">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={all()}>{(one) => <SessionRow of={one} onEnd={() => setEnding(one)} />}</For>
              </tbody>
            </table>
          </div>
        )}
      </ListCard>
      <Show when={ending()}>{(one) => <EndDialog session={one()} onClose={() => setEnding(null)} />}</Show>
    </main>
  )
}
