/** Whether what is shown moves by itself, and if not, of what time it is. */
import { Show, type JSX } from "solid-js"
import { Time } from "../kit/Time.tsx"
import { useLive } from "../live/live.ts"

export const LiveIndicator = (): JSX.Element => {
  const live = useLive()
  const words = (): string => {
    switch (live().phase) {
      case "live":
        return "Live"
      case "connecting":
        return "Connecting"
      case "reconnecting":
        return "Reconnecting"
      case "offline":
        return "Offline"
    }
  }
  return (
    <span
      class="live"
      classList={{
        rec: live().phase === "reconnecting" || live().phase === "connecting",
        off: live().phase === "offline"
      }}
      role="status"
    >
      <i />
      {words()}
      <Show when={live().phase !== "live" && live().whole_until}>
        {(until) => (
          <span class="asof">
            , data as of <Time at={new Date(until()).toISOString()} />
          </span>
        )}
      </Show>
    </span>
  )
}
