/** The console's copy of what the server last said. Live messages change or renew it; it is thrown away on sign-out. */
import { QueryClient } from "@tanstack/solid-query"
import { ApiError } from "./ApiError.ts"

const worthAnotherTry = (failures: number, error: Error): boolean =>
  failures < 2 && error instanceof ApiError && (error.status === 0 || error.status === 503)

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: false,
      retry: worthAnotherTry,
      throwOnError: false
    }
  }
})

/**
 * After a deletion, before leaving its page: what is shown next reads these again. The page itself, which is there until the next
 * one has loaded, does not ask for what is gone.
 */
export const outdate = (...queryKeys: ReadonlyArray<ReadonlyArray<unknown>>): void => {
  for (const queryKey of queryKeys) void queryClient.invalidateQueries({ queryKey, refetchType: "none" })
}
