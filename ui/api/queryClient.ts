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
