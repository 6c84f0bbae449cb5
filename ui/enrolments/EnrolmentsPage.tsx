/** Machines that ask to join: who waits and for how long, what is in the way, and the decision. */
import { A, useSearchParams } from "@solidjs/router"
import { createSignal, For, lazy, Show, Suspense, type JSX } from "solid-js"
import { conflictWords, type Enrolment, type EnrolmentState } from "#core/Enrolment.ts"
import { listEnrolments } from "../api/enrolments.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { usePages } from "../api/useData.ts"
import { count } from "../format/numbers.ts"
import { ListCard } from "../kit/ListCard.tsx"
import { Segments } from "../kit/Segments.tsx"
import { Icon } from "../kit/Icon.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { usePage } from "../kit/usePage.ts"
import { enrolmentStates, systemWords } from "./enrolmentWords.ts"
import { useWaiting } from "./useWaiting.ts"
import styles from "./Enrolments.module.css"

const ApproveDialog = lazy(() => import("./ApproveDialog.tsx"))
const DenyDialog = lazy(() => import("./DenyDialog.tsx"))

const filters = {
  waiting: { words: "Waiting", states: ["pending"] },
  approved: { words: "Approved", states: ["approved"] },
  denied: { words: "Denied", states: ["denied"] },
  expired: { words: "Expired", states: ["expired"] },
  all: { words: "All", states: undefined }
} as const satisfies Record<string, { words: string; states: ReadonlyArray<EnrolmentState> | undefined }>

type Filter = keyof typeof filters
const names = Object.keys(filters) as ReadonlyArray<Filter>

const Standing = (props: { enrolment: Enrolment }): JSX.Element => (
  <>
    <State of={enrolmentStates[props.enrolment.state]} />
    <Show when={props.enrolment.state === "approved"}>
      <div class="muted">
        <Show when={props.enrolment.first_fetched_at} fallback="certificate not fetched yet">
          {(at) => (
            <>
              certificate fetched <Time at={at()} as="ago" />
            </>
          )}
        </Show>
      </div>
    </Show>
    <For each={props.enrolment.conflicts}>
      {(conflict) => (
        <div class={`st warn ${styles["conflict"]}`}>
          <Icon name="warning" />
          <span>{conflictWords(conflict)}</span>
        </div>
      )}
    </For>
  </>
)

const Row = (props: {
  enrolment: Enrolment
  onApprove: (enrolment: Enrolment) => void
  onDeny: (enrolment: Enrolment) => void
}): JSX.Element => (
  <tr>
    <td class={styles["name"]}>
      <Show when={props.enrolment.host_id} fallback={<b>{props.enrolment.fqdn}</b>}>
        {(id) => <A href={`/hosts/${id()}`}>{props.enrolment.fqdn}</A>}
      </Show>
      <div class="muted mono">{props.enrolment.machine_id}</div>
    </td>
    <td>
      <span class="mono">{props.enrolment.address}</span>
      <Show when={props.enrolment.source_address !== props.enrolment.address}>
        <div class="muted">
          asked from <span class="mono">{props.enrolment.source_address}</span>
        </div>
      </Show>
    </td>
    <td>{systemWords(props.enrolment)}</td>
    <td>
      <Time at={props.enrolment.created_at} as="age" />
    </td>
    <td class={styles["standing"]}>
      <Standing enrolment={props.enrolment} />
    </td>
    <td>
      <Show
        when={props.enrolment.state === "pending" && may("enrolments:decide")}
        fallback={<span class="muted">{props.enrolment.decided_by ?? ""}</span>}
      >
        <div class="actions end">
          <button class="btn s" type="button" onClick={() => props.onDeny(props.enrolment)}>
            Deny
          </button>
          <button class="btn primary s" type="button" onClick={() => props.onApprove(props.enrolment)}>
            Approve
          </button>
        </div>
      </Show>
    </td>
  </tr>
)

export default function EnrolmentsPage(): JSX.Element {
  const page = usePage(() => "Enrolments")
  const [parameters, setParameters] = useSearchParams<{ state?: string }>()
  const filter = (): Filter => names.find((name) => name === parameters.state) ?? "waiting"
  const waiting = useWaiting()
  const enrolments = usePages(() => ({
    queryKey: [...keys.enrolments, "list", filter(), waiting()],
    queryFn: ({ pageParam, signal }) =>
      listEnrolments({ state: filters[filter()].states, cursor: pageParam, limit: 50 }, signal),
    keepPrevious: true
  }))
  const [approving, setApproving] = createSignal<Enrolment | null>(null)
  const [denying, setDenying] = createSignal<Enrolment | null>(null)
  return (
    <main class="main" id="main">
      <div class={`head ${styles["head"]}`}>
        <div>
          <h1 ref={page.ref}>Enrolments</h1>
          <p class="sub">
            <Show when={enrolments.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => (
                <>
                  {count(first().total)} {filter() === "all" ? "in all" : filters[filter()].words.toLowerCase()}
                </>
              )}
            </Show>
          </p>
        </div>
        <Segments
          names={names}
          words={(name) => filters[name].words}
          current={filter()}
          onPick={(name) => setParameters({ state: name === "waiting" ? undefined : name })}
        />
      </div>
      <ListCard
        what="Enrolments"
        query={enrolments}
        rows={5}
        more="Show more"
        empty={
          <>
            <b>{filter() === "waiting" ? "Nobody waits" : "Nothing here"}</b>
            <p class="muted">
              A machine whose agent was started with <span class="mono">--enroll {location.origin}</span> asks to join
              here, and waits for an administrator's decision for 24 hours.
            </p>
          </>
        }
      >
        {(all) => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="Enrolments">
            <table class={`tbl ${styles["table"]}`}>
              <thead>
                <tr>
                  <th scope="col">Machine</th>
                  <th scope="col" class={styles["address"]}>
                    Address
                  </th>
                  <th scope="col" class={styles["system"]}>
                    System
                  </th>
                  <th scope="col" class={styles["age"]}>
                    Age
                  </th>
                  <th scope="col">State</th>
                  <th scope="col" class={styles["act"]}>
                    <span class="vh">Decision</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={all()}>
                  {(enrolment) => <Row enrolment={enrolment} onApprove={setApproving} onDeny={setDenying} />}
                </For>
              </tbody>
            </table>
          </div>
        )}
      </ListCard>
      <Suspense>
        <Show when={approving()} keyed>
          {(enrolment) => <ApproveDialog enrolment={enrolment} onClose={() => setApproving(null)} />}
        </Show>
        <Show when={denying()} keyed>
          {(enrolment) => <DenyDialog enrolment={enrolment} onClose={() => setDenying(null)} />}
        </Show>
      </Suspense>
    </main>
  )
}
