/**
 * Server data for a component, straight from the query client's observers. The library's own Solid binding reads through
 * resources: they suspend the page where a skeleton belongs, and a page that is read again each second never gets shown.
 */
import {
  InfiniteQueryObserver,
  QueryObserver,
  type InfiniteData,
  type InfiniteQueryObserverResult,
  type QueryObserverResult
} from "@tanstack/solid-query"
import { createComputed, createMemo, createSignal, on, onCleanup, untrack, type Accessor } from "solid-js"
import type { Page } from "#core/Page.ts"
import { queryClient } from "./queryClient.ts"

interface Common {
  readonly queryKey: ReadonlyArray<unknown>
  /** Milliseconds for which the data counts as fresh. */
  readonly staleTime?: number
  /** Shows what was there under another key until the new data has come. */
  readonly keepPrevious?: boolean
}

export interface DataOptions<A> extends Common {
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<A>
  readonly enabled?: boolean
  /** Milliseconds; false for never. */
  readonly refetchInterval?: number | ((data: A | undefined) => number | false)
}

export interface PagesOptions<P> extends Common {
  readonly queryFn: (context: { readonly signal: AbortSignal; readonly pageParam: string | undefined }) => Promise<P>
}

export interface Data<A> {
  readonly data: A | undefined
  readonly error: Error | null
  readonly isError: boolean
  readonly isPending: boolean
  readonly isFetching: boolean
  /** Epoch milliseconds. */
  readonly dataUpdatedAt: number
  readonly refetch: () => unknown
}

export interface Pages<P> extends Data<InfiniteData<P, string | undefined>> {
  readonly hasNextPage: boolean
  readonly fetchNextPage: () => unknown
}

type Result<A> = Pick<
  QueryObserverResult<A>,
  "data" | "error" | "isError" | "isPending" | "isFetching" | "dataUpdatedAt"
>

/** Each part is a memo: who reads the data is not told that a fetch began. */
const watch = <A>(result: Accessor<Result<A>>, refetch: () => unknown): Data<A> => {
  const data = createMemo(() => result().data)
  const error = createMemo(() => result().error)
  const isError = createMemo(() => result().isError)
  const isPending = createMemo(() => result().isPending)
  const isFetching = createMemo(() => result().isFetching)
  const dataUpdatedAt = createMemo(() => result().dataUpdatedAt)
  return {
    get data() {
      return data()
    },
    get error() {
      return error()
    },
    get isError() {
      return isError()
    },
    get isPending() {
      return isPending()
    },
    get isFetching() {
      return isFetching()
    },
    get dataUpdatedAt() {
      return dataUpdatedAt()
    },
    refetch
  }
}

const previous = (common: Common) =>
  common.keepPrevious === true ? { placeholderData: <T>(before: T | undefined) => before } : {}

const fresh = (common: Common) => (common.staleTime === undefined ? {} : { staleTime: common.staleTime })

export const useData = <A>(options: () => DataOptions<A>): Data<A> => {
  const wanted = createMemo(() => {
    const given = options()
    const { queryKey, queryFn, enabled, refetchInterval } = given
    const every =
      typeof refetchInterval === "function"
        ? (query: { readonly state: { readonly data: A | undefined } }) => refetchInterval(query.state.data)
        : (refetchInterval ?? false)
    return queryClient.defaultQueryOptions<A, Error, A, A>({
      queryKey,
      queryFn,
      enabled: enabled ?? true,
      refetchInterval: every,
      ...fresh(given),
      ...(previous(given) as object)
    })
  })
  const observer = new QueryObserver<A, Error, A, A>(queryClient, untrack(wanted))
  const [result, setResult] = createSignal(observer.getOptimisticResult(untrack(wanted)))
  createComputed(
    on(
      wanted,
      (now) => {
        observer.setOptions(now)
        setResult(observer.getOptimisticResult(now))
      },
      { defer: true }
    )
  )
  onCleanup(observer.subscribe((next) => setResult(next)))
  return watch<A>(result, () => observer.refetch())
}

export const usePages = <P extends Pick<Page<unknown>, "next_cursor">>(options: () => PagesOptions<P>): Pages<P> => {
  const wanted = createMemo(() => {
    const given = options()
    const { queryKey, queryFn } = given
    return {
      queryKey,
      queryFn,
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last: P) => last.next_cursor ?? undefined,
      ...fresh(given),
      ...(previous(given) as object)
    }
  })
  const observer = new InfiniteQueryObserver<
    P,
    Error,
    InfiniteData<P, string | undefined>,
    ReadonlyArray<unknown>,
    string | undefined
  >(queryClient, untrack(wanted))
  const [result, setResult] = createSignal<InfiniteQueryObserverResult<InfiniteData<P, string | undefined>>>(
    observer.getCurrentResult()
  )
  createComputed(
    on(
      wanted,
      (now) => {
        observer.setOptions(now)
        setResult(observer.getCurrentResult())
      },
      { defer: true }
    )
  )
  onCleanup(observer.subscribe((next) => setResult(next)))
  const hasNextPage = createMemo(() => result().hasNextPage)
  const watched = watch<InfiniteData<P, string | undefined>>(result, () => observer.refetch())
  return Object.defineProperties({} as Pages<P>, {
    ...Object.getOwnPropertyDescriptors(watched),
    hasNextPage: { get: hasNextPage },
    fetchNextPage: { value: () => observer.fetchNextPage() }
  })
}
