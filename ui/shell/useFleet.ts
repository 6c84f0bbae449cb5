/** The fleet's numbers; every part of the console that shows one reads the same copy. */
import { keys } from "../api/keys.ts"
import { readFleet } from "../api/fleet.ts"
import { useData } from "../api/useData.ts"

const EVERY_MS = 30_000

export const useFleet = () =>
  useData(() => ({
    queryKey: keys.fleet,
    queryFn: ({ signal }) => readFleet(signal),
    refetchInterval: EVERY_MS
  }))
