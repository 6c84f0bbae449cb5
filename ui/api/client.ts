/** Requests to the REST API: token, deadline, one refresh after a 401, and errors as ApiError. */
import { activityHeaders, markAgain } from "./activity.ts"
import { noAnswer, readApiError } from "./ApiError.ts"
import { accessToken, refresh } from "./session.ts"

const DEADLINE_MS = 30_000

type QueryValue = string | number | boolean | null | undefined | ReadonlyArray<string>

export interface RequestOptions {
  readonly query?: Readonly<Record<string, QueryValue>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** `?a=1&b=x&b=y`; values that are not set are left out. */
export const queryString = (query: Readonly<Record<string, QueryValue>>): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue
    for (const one of Array.isArray(value) ? (value as ReadonlyArray<string>) : [value]) {
      parameters.append(name, String(one))
    }
  }
  const text = parameters.toString()
  return text === "" ? "" : `?${text}`
}

const attempt = (method: string, path: string, options: RequestOptions): Promise<Response> => {
  const token = accessToken()
  const headers = new Headers(options.headers)
  if (token !== null) headers.set("authorization", `Bearer ${token}`)
  if (options.body !== undefined) headers.set("content-type", "application/json")
  const deadline = AbortSignal.timeout(DEADLINE_MS)
  return fetch(path + queryString(options.query ?? {}), {
    method,
    headers,
    credentials: "same-origin",
    signal: options.signal ? AbortSignal.any([options.signal, deadline]) : deadline,
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
  }).catch((cause: unknown) => {
    if (options.signal?.aborted) throw cause
    throw noAnswer(cause)
  })
}

/** The answer as it came, if its status says that all went well. */
export const send = async (method: string, path: string, options: RequestOptions = {}): Promise<Response> => {
  const used = accessToken()
  const mark = activityHeaders()
  const marked = { ...options, headers: { ...mark, ...options.headers } }
  let response = await attempt(method, path, marked)
  if (response.status === 401) {
    if ("x-user-activity" in mark) markAgain()
    const renewed = accessToken() !== used || (await refresh())
    if (renewed) response = await attempt(method, path, marked)
  }
  if (!response.ok) throw await readApiError(response)
  return response
}

export const getJson = async <A>(path: string, options?: RequestOptions): Promise<A> =>
  (await (await send("GET", path, options)).json()) as A

export const getText = async (path: string, options?: RequestOptions): Promise<string> =>
  (await send("GET", path, options)).text()

export const postJson = async <A>(path: string, options?: RequestOptions): Promise<A> =>
  (await (await send("POST", path, options)).json()) as A

/** For what is answered with 202 or 204: asked for, nothing to read. */
export const post = async (path: string, options?: RequestOptions): Promise<void> => {
  await send("POST", path, options)
}
