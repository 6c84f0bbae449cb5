/** How many machines wait for a decision, for the rail; 0 for those who may not know. */
import type { Accessor } from "solid-js"
import { listEnrolments } from "../api/enrolments.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"

const LOOK_EVERY_MS = 60_000

export const useWaiting = (): Accessor<number> => {
  const waiting = useData(() => ({
    queryKey: [...keys.enrolments, "waiting"],
    queryFn: ({ signal }) => listEnrolments({ state: ["pending"], limit: 1 }, signal),
    enabled: may("enrolments:read"),
    refetchInterval: LOOK_EVERY_MS
  }))
  return () => waiting.data?.total ?? 0
}
