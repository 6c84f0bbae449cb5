/** The console's two live sockets, and what their messages do to what is shown. */
import { useSelector } from "@xstate/store-solid"
import { createMemo, type Accessor } from "solid-js"
import type { InfiniteData } from "@tanstack/solid-query"
import type { HostDetail, HostTransition } from "#core/Host.ts"
import type { JobDetail, JobItem } from "#core/Job.ts"
import type { LiveHost, LiveJob, LiveMessage } from "#core/Live.ts"
import type { Page } from "#core/Page.ts"
import { queryClient } from "../api/queryClient.ts"
import { keys } from "../api/keys.ts"
import { endSession, refresh } from "../api/session.ts"
import type { Connection, Parting, Phase } from "./connection.ts"
import { atMostEvery, perFrame } from "./frames.ts"
import { LiveSocket } from "./LiveSocket.ts"
import { forgetHosts, hearHosts, hearRemoved } from "./liveHosts.ts"

const FLEET_PATH = "/api/v1/ws/fleet"
const JOBS_PATH = "/api/v1/ws/jobs"

const renew = (key: ReadonlyArray<unknown>): void => void queryClient.invalidateQueries({ queryKey: key })

const renewFleet = atMostEvery(2_000, () => renew(keys.fleet))
const renewJobList = atMostEvery(2_000, () => renew(keys.jobs))

const renewals = new Map<string, () => void>()
/** Each host's page and each job's hosts are read again at most once a second. */
const renewSoon = (key: ReadonlyArray<unknown>): void => {
  const name = key.join("/")
  let run = renewals.get(name)
  if (run === undefined) {
    run = atMostEvery(1_000, () => renew(key))
    renewals.set(name, run)
  }
  run()
}

const applyHost = (host: LiveHost): void => {
  const key = keys.host(host.id)
  const known = queryClient.getQueryData<HostDetail>(key)
  if (known === undefined) return
  if (known.pending !== host.pending || known.security !== host.security) {
    renewSoon(keys.patches(host.id))
    renewSoon(keys.packages(host.id))
  }
  queryClient.setQueryData<HostDetail>(key, (before) =>
    before === undefined || host.state_version < before.state_version ? before : { ...before, ...host }
  )
  renewSoon(key)
}

const applyJob = (job: LiveJob): void => {
  // Waves, a stop by the error limit and who paused it are not in the message.
  renewSoon(keys.job(job.id))
  queryClient.setQueryData<JobDetail>(keys.job(job.id), (known) => (known === undefined ? known : { ...known, ...job }))
  queryClient.setQueriesData<InfiniteData<Page<JobItem>>>({ queryKey: keys.jobs }, (known) =>
    known === undefined
      ? known
      : {
          ...known,
          pages: known.pages.map((page) => ({
            ...page,
            items: page.items.map((item) => (item.id === job.id ? { ...item, ...job } : item))
          }))
        }
  )
}

const applyTransitions = (all: ReadonlyArray<HostTransition>): void => {
  for (const transition of all) {
    queryClient.setQueryData<InfiniteData<Page<HostTransition>>>(keys.transitions(transition.host_id), (known) => {
      const [first, ...rest] = known?.pages ?? []
      if (known === undefined || first === undefined) return known
      if (first.items.some(({ version }) => version === transition.version)) return known
      const items = [transition, ...first.items].toSorted((a, b) => b.version - a.version)
      return { ...known, pages: [{ ...first, items, total: first.total + 1 }, ...rest] }
    })
  }
}

const handleFleet = perFrame<LiveMessage>((messages) => {
  const hosts = messages.flatMap((message) => (message.type === "host" ? [message.host] : []))
  hearHosts(hosts)
  hosts.forEach(applyHost)
  for (const message of messages) {
    if (message.type === "host_removed") hearRemoved(message.host_id)
  }
  applyTransitions(messages.flatMap((message) => (message.type === "transition" ? [message.transition] : [])))
  renewFleet()
})

const handleJobs = perFrame<LiveMessage>((messages) => {
  for (const message of messages) {
    if (message.type === "job") {
      applyJob(message.job)
      renewJobList()
      renewFleet()
    } else if (message.type === "job_host") {
      renewSoon(keys.jobHosts(message.job_host.job_id))
      renewSoon(keys.hostJobs(message.job_host.host_id))
    }
  }
})

const readAllAgain = (): void => {
  forgetHosts()
  void queryClient.invalidateQueries()
}

/** What one may no longer see is not kept either; who one is now stands in the answer to a refresh. */
const takeNewScope = (): void => {
  queryClient.removeQueries({ type: "inactive" })
  readAllAgain()
  void refresh().catch(() => undefined)
}

const onParting = (parting: Exclude<Parting, "again">): void =>
  parting === "session_ended" ? endSession() : takeNewScope()

export const fleetSocket = new LiveSocket({
  path: FLEET_PATH,
  onMessage: handleFleet,
  onResync: readAllAgain,
  onParting
})
export const jobsSocket = new LiveSocket({ path: JOBS_PATH, onMessage: handleJobs, onResync: readAllAgain, onParting })

export const startLive = (): void => {
  fleetSocket.start()
  jobsSocket.start()
}

export const stopLive = (): void => {
  fleetSocket.stop()
  jobsSocket.stop()
  forgetHosts()
  queryClient.clear()
}

const worse: ReadonlyArray<Phase> = ["live", "connecting", "reconnecting", "offline"]

/** Both sockets as one: the worse phase, and until when both were whole. */
export const useLive = (): Accessor<Connection> => {
  const fleet = useSelector(fleetSocket.connection, ({ context }) => context)
  const jobs = useSelector(jobsSocket.connection, ({ context }) => context)
  return createMemo(() => {
    const [a, b] = [fleet(), jobs()]
    const phase = worse.indexOf(a.phase) >= worse.indexOf(b.phase) ? a.phase : b.phase
    const ends = [a.whole_until, b.whole_until].filter((end) => end !== null)
    return { ...a, phase, whole_until: ends.length > 0 ? Math.min(...ends) : null }
  })
}
