/** Names of the operating systems in the fleet, as far as its first hosts show them. */
import { createMemo, type Accessor } from "solid-js"
import { keys } from "../api/keys.ts"
import { listHosts } from "../api/hosts.ts"
import { useData } from "../api/useData.ts"

const LOOK_AT = 500

export const useSystems = (): Accessor<ReadonlyArray<string>> => {
  const sample = useData(() => ({
    queryKey: [...keys.fleet, "systems"],
    queryFn: async ({ signal }) => {
      const page = await listHosts({ sort: "-last_seen", limit: LOOK_AT }, signal)
      return [...new Set(page.items.flatMap(({ os }) => (os === null ? [] : [os])))]
    },
    staleTime: 60_000
  }))
  return createMemo(() => sample.data ?? [])
}
