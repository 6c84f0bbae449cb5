/** What stands between the top bar and every page while the worker is away: nothing happens to hosts then. */
import { Show, type JSX } from "solid-js"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { useFleet } from "./useFleet.ts"

export const Banner = (): JSX.Element => {
  const fleet = useFleet()
  return (
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
  )
}
