/** A job, put together on the left, with its plan on the right: nothing is sent before somebody has seen what it would do. */
import { useLocation, useNavigate, useSearchParams } from "@solidjs/router"
import { createEffect, createMemo, createSignal, on, onCleanup, Show, type JSX } from "solid-js"
import type { HostId } from "#core/Ids.ts"
import type { Plan } from "#core/Plan.ts"
import { ApiError } from "../api/ApiError.ts"
import { createJob, planJob } from "../api/jobs.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { count, plural } from "../format/numbers.ts"
import { formatMoment } from "../format/time.ts"
import { hostFilter, readHostQuery } from "../hosts/hostQuery.ts"
import { Icon } from "../kit/Icon.tsx"
import { Skeleton } from "../kit/Skeleton.tsx"
import { usePage } from "../kit/usePage.ts"
import { preferences } from "../shell/preferences.ts"
import { ChangeCard } from "./ChangeCard.tsx"
import { emptyDraft, jobOf, problemOf, type Draft, type Target } from "./draft.ts"
import { PlanPanel } from "./PlanPanel.tsx"
import { planNumbers } from "./planNumbers.ts"
import { TargetCard } from "./TargetCard.tsx"
import { WhenCard } from "./WhenCard.tsx"
import styles from "./DeployPage.module.css"

const PLAN_AFTER_MS = 400

const words = (cause: unknown): string =>
  cause instanceof ApiError
    ? [cause.message, ...(cause.details.fields ?? []).map(({ path, message }) => `${path}: ${message}`)].join(" ")
    : String(cause)

/** Hosts come with the navigation, a filter or a group with the address. */
const useGivenTarget = (): Target => {
  const { state } = useLocation<{ host_ids?: ReadonlyArray<HostId> }>()
  const [parameters] = useSearchParams()
  if (state?.host_ids !== undefined) return { kind: "hosts", ids: state.host_ids }
  const host = parameters["host"]
  if (host !== undefined) return { kind: "hosts", ids: (Array.isArray(host) ? host : [host]) as Array<HostId> }
  if (parameters["match"] !== undefined) {
    const filter = hostFilter(readHostQuery(parameters))
    return {
      kind: "filter",
      filter: JSON.parse(JSON.stringify(filter)) as Extract<Target, { kind: "filter" }>["filter"]
    }
  }
  const group = parameters["group"]
  return typeof group === "string" ? { kind: "group", id: group } : { kind: "hosts", ids: [] }
}

export default function DeployPage(): JSX.Element {
  const page = usePage(() => "Deploy")
  const navigate = useNavigate()
  const given = useGivenTarget()
  const [draft, setDraft] = createSignal<Draft>(emptyDraft(given))
  const [plan, setPlan] = createSignal<Plan | null>(null)
  const [planned, setPlanned] = createSignal("")
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const change = (part: Partial<Draft>): void => void setDraft({ ...draft(), ...part })
  const problem = createMemo(() => problemOf(draft()))
  const request = createMemo(() => (problem() === null ? JSON.stringify(jobOf(draft())) : ""))
  const stale = (): boolean => request() !== planned()
  const key = createMemo(() => (request(), crypto.randomUUID()))

  createEffect(
    on(request, (wanted) => {
      setFault(null)
      if (wanted === "") return
      const asking = new AbortController()
      const timer = setTimeout(() => {
        planJob(JSON.parse(wanted) as ReturnType<typeof jobOf>, asking.signal).then(
          (made) => {
            setPlan(made)
            setPlanned(wanted)
          },
          (cause: unknown) => {
            if (!asking.signal.aborted) setFault(words(cause))
          }
        )
      }, PLAN_AFTER_MS)
      onCleanup(() => {
        clearTimeout(timer)
        asking.abort()
      })
    })
  )

  const sentence = (): string => {
    const made = plan()
    if (problem() !== null) return problem() ?? ""
    if (made === null) return "The plan is being made. Nothing has been sent to any host."
    const { first, restarts, skipped, touched, undo } = planNumbers(made)
    const uncovered = made.hosts.filter((host) => host.waits_for?.code === "no_window").length
    const without =
      uncovered === 0
        ? ""
        : ` ${plural(uncovered, "host")} ${uncovered === 1 ? "waits until a window covers it" : "wait until a window covers them"};`
    const owed = restarts.if_needed + restarts.unknown
    const restart =
      restarts.yes > 0
        ? `${plural(restarts.yes, "restart")}${owed > 0 ? ` and up to ${count(owed)} more` : ""}`
        : owed > 0
          ? `up to ${plural(owed, "restart")}`
          : "no restart"
    const rest = [
      restart,
      ...(skipped.length > 0 ? [`${plural(skipped.length, "host")} left alone`] : []),
      `${undo.yes === 0 ? "none" : undo.yes === touched ? "all" : count(undo.yes)} can be undone`
    ]
    const start =
      draft().when === "immediate"
        ? "now"
        : first === null
          ? "as soon as it may"
          : `first at ${formatMoment(first, preferences.zone)}`
    return `${plural(touched, "host")}, ${start};${without} ${rest.join(", ")}.`
  }

  const submit = async (): Promise<void> => {
    const made = plan()
    if (made === null) return
    setBusy(true)
    setFault(null)
    try {
      const job = await createJob({ ...jobOf(draft()), plan_hash: made.hash, expected_hosts: made.hosts_total }, key())
      void queryClient.invalidateQueries({ queryKey: keys.jobs })
      void queryClient.invalidateQueries({ queryKey: keys.fleet })
      navigate(`/jobs/${job.id}`)
    } catch (cause) {
      setFault(words(cause))
      setPlanned("")
    } finally {
      setBusy(false)
    }
  }

  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Deploy</h1>
          <p class="sub">
            <Show when={plan()} fallback="Nothing is sent before you confirm the plan.">
              {(made) => (
                <>
                  Nothing has been sent to any host yet. Plan made at {formatMoment(made().made_at, preferences.zone)}.
                </>
              )}
            </Show>
          </p>
        </div>
      </div>
      <div class={`cols ${styles["page"]}`}>
        <div class={styles["side"]}>
          <TargetCard given={given} target={draft().target} onChange={(target) => change({ target })} />
          <ChangeCard draft={draft()} onChange={change} />
          <WhenCard draft={draft()} onChange={change} />
        </div>
        <Show
          when={plan()}
          fallback={
            <section class="card" aria-label="Plan">
              <Show
                when={problem()}
                fallback={
                  <Show when={fault() === null}>
                    <Skeleton rows={6} />
                  </Show>
                }
              >
                {(what) => (
                  <div class="empty">
                    <b>No plan yet</b>
                    <p class="muted">{what()}</p>
                  </div>
                )}
              </Show>
              <Show when={problem() === null && fault()}>
                {(what) => (
                  <div class="empty failure" role="alert">
                    <b>The plan could not be made</b>
                    <p class="muted">{what()}</p>
                  </div>
                )}
              </Show>
            </section>
          }
        >
          {(made) => <PlanPanel plan={made()} stale={stale()} />}
        </Show>
      </div>
      <div class={styles["foot"]}>
        <p role="status">
          <Show when={fault()} fallback={<b>{sentence()}</b>}>
            {(what) => (
              <span class="fault" role="alert">
                {what()}
              </span>
            )}
          </Show>
        </p>
        <button
          class="btn primary"
          type="button"
          disabled={busy() || problem() !== null || plan() === null || stale()}
          onClick={() => void submit()}
        >
          <Icon name="deploy" />
          {draft().when === "immediate" ? "Start now" : "Queue the job"}
        </button>
      </div>
    </main>
  )
}
