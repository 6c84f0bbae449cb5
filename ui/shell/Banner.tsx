/** What stands between the top bar and every page while something is wrong with the manager itself, or with a host's identity. */
import { A } from "@solidjs/router"
import { For, Show, type JSX } from "solid-js"
import { SKEW_BLOCKS_MILLIS, SKEW_SHOWN_MILLIS } from "#core/ClockSkew.ts"
import { plural } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { useFleet } from "./useFleet.ts"

/** The dashboard counts these hosts anyway. */
const counted: ReadonlySet<string> = new Set(["unreachable", "unresolved", "noReturn"])

export const Banner = (): JSX.Element => {
  const fleet = useFleet()
  const skew = () => fleet.data?.worker.clock_skew_seconds ?? 0
  const shownIncidents = () => (fleet.data?.incidents ?? []).filter(({ kind }) => !counted.has(kind))
  return (
    <>
      <Show when={(fleet.data?.worker.workers.length ?? 0) > 1}>
        <div class="bannerw">
          <div class="banner" role="status">
            <Icon name="info" />
            <p>
              Two workers are running: {fleet.data?.worker.workers.map(({ id, role }) => `${id} (${role})`).join(", ")}.
              One works, the other takes over within 20 seconds if it stops. Stop one if that is not intended.
            </p>
          </div>
        </div>
      </Show>
      <For each={shownIncidents()}>
        {(incident) => (
          <div class="bannerw">
            <div class="banner" role="status">
              <Icon name="warning" />
              <p>
                <Show when={incident.host}>
                  {(host) => (
                    <>
                      <A href={`/hosts/${host().id}`}>{host().display_name}</A>:{" "}
                    </>
                  )}
                </Show>
                {incident.message}
                {incident.members > 1 ? ` The same for ${plural(incident.members - 1, "other host")}.` : ""} Since{" "}
                <Time at={incident.since} />.
              </p>
            </div>
          </div>
        )}
      </For>
      <Show when={Math.abs(skew()) * 1000 >= SKEW_SHOWN_MILLIS}>
        <div class="bannerw">
          <div class="banner" role="status">
            <Icon name="warning" />
            <p>
              The database's clock is {plural(Math.abs(skew()), "second")} {skew() > 0 ? "ahead of" : "behind"} the
              worker's.{" "}
              {Math.abs(skew()) * 1000 >= SKEW_BLOCKS_MILLIS
                ? "Nothing is started on hosts until they agree: set both clocks right."
                : `Set both clocks right: from ${SKEW_BLOCKS_MILLIS / 1000} seconds on nothing is started on hosts.`}
            </p>
          </div>
        </div>
      </Show>
      <Show when={fleet.data?.worker.fresh === true && fleet.data.worker.database_roles === "single"}>
        <div class="bannerw">
          <div class="banner" role="status">
            <Icon name="warning" />
            <p>
              One database role does everything, so nothing but the program itself keeps a process from changing the
              audit log. Give web and worker a role each: docs/runbooks/database-roles.md says how.
            </p>
          </div>
        </div>
      </Show>
      <Show when={fleet.data !== undefined && !fleet.data.worker.fresh}>
        <div class="bannerw">
          <div class="banner" role="status">
            <Icon name="warning" />
            <p>
              <Show when={fleet.data?.worker.beat_at} fallback="The worker has never reported.">
                {(at) => (
                  <>
                    The worker last reported <Time at={at()} as="ago" />.
                  </>
                )}
              </Show>{" "}
              Nothing is polled or sent to hosts until it is back.
            </p>
          </div>
        </div>
      </Show>
    </>
  )
}
