/**
 * An area of data and its four states: skeleton (after 150 ms), error with the last good data kept, empty, and the data.
 * What "empty" means, first use or no match, is the page's to say.
 */
import { createSignal, Match, onCleanup, Show, Switch, type JSX } from "solid-js"
import { ApiError } from "../api/ApiError.ts"
import { CopyButton } from "./CopyButton.tsx"
import { Icon } from "./Icon.tsx"
import { Skeleton } from "./Skeleton.tsx"
import { Time } from "./Time.tsx"

interface Query<A> {
  readonly data: A | undefined
  readonly error: Error | null
  readonly isError: boolean
  readonly isPending: boolean
  readonly dataUpdatedAt: number
  readonly refetch: () => unknown
}

const SKELETON_AFTER_MS = 150

export const Failure = (props: {
  what: string
  error: Error
  retry: () => unknown
  shown_at?: number | undefined
}): JSX.Element => {
  const requestId = (): string | null => (props.error instanceof ApiError ? props.error.request_id : null)
  return (
    <div class="empty failure" role="alert">
      <span class="st bad">
        <Icon name="failed" />
        {props.what} could not be loaded
      </span>
      <p class="muted">
        {props.error.message}
        <Show when={props.shown_at}>
          {(at) => (
            <>
              {" "}
              Shown below: <Time at={new Date(at()).toISOString()} />,{" "}
              <Time at={new Date(at()).toISOString()} as="age" /> old.
            </>
          )}
        </Show>
      </p>
      <div class="actions">
        <button class="btn" type="button" onClick={() => props.retry()}>
          Try again
        </button>
        <Show when={requestId()}>
          {(id) => (
            <span class="tag mono">
              {id()}
              <CopyButton text={id()} label="Copy request id" />
            </span>
          )}
        </Show>
      </div>
    </div>
  )
}

export const DataArea = <A,>(props: {
  query: Query<A>
  /** Names the data in the error, with a capital: "Hosts". */
  what: string
  rows?: number
  isEmpty?: (data: A) => boolean
  empty?: JSX.Element
  children: (data: () => A) => JSX.Element
}): JSX.Element => {
  const [late, setLate] = createSignal(false)
  const timer = setTimeout(() => setLate(true), SKELETON_AFTER_MS)
  onCleanup(() => clearTimeout(timer))
  const data = (): A | undefined => props.query.data
  return (
    <>
      <Show when={props.query.isError && props.query.error}>
        {(error) => (
          <Failure
            what={props.what}
            error={error()}
            retry={() => props.query.refetch()}
            shown_at={data() === undefined ? undefined : props.query.dataUpdatedAt}
          />
        )}
      </Show>
      <Switch>
        <Match when={data() === undefined && props.query.isPending && late()}>
          <Skeleton rows={props.rows ?? 4} />
        </Match>
        <Match when={data() !== undefined && props.isEmpty?.(data() as A) === true}>{props.empty}</Match>
        <Match when={data() !== undefined}>
          <div class="contents" classList={{ stale: props.query.isError }}>
            {props.children(() => data() as A)}
          </div>
        </Match>
      </Switch>
    </>
  )
}
