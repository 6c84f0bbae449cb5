/** Asks the worker to poll these hosts at once. */
import type { HostItem } from "#core/Host.ts"
import { refreshHost } from "../api/hosts.ts"
import { plural } from "../format/numbers.ts"
import { say, sayFailed } from "../kit/toasts.ts"

const AT_ONCE = 6

export const refreshHosts = async (hosts: ReadonlyArray<Pick<HostItem, "id">>): Promise<void> => {
  const waiting = [...hosts]
  let asked = 0
  let failure: unknown
  const lane = async (): Promise<void> => {
    for (let host = waiting.pop(); host !== undefined; host = waiting.pop()) {
      try {
        await refreshHost(host.id)
        asked++
      } catch (cause) {
        failure = cause
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, hosts.length) }, lane))
  if (failure !== undefined)
    sayFailed(`${plural(hosts.length - asked, "host")} of ${hosts.length} not refreshed`, failure)
  else say(asked === 1 ? "The host is polled now" : `${plural(asked, "host")} are polled now`)
}
