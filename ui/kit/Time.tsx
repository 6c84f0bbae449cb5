/** A moment in the reader's chosen zone: its age in lists, the clock elsewhere; the whole of it in the title. */
import type { JSX } from "solid-js"
import { formatAge, formatDay, formatExact, formatFull, formatMoment } from "../format/time.ts"
import { preferences } from "../shell/preferences.ts"
import { now } from "./now.ts"

export const Time = (props: {
  at: string
  as?: "moment" | "age" | "ago" | "exact" | "day" | "full"
  class?: string
}): JSX.Element => {
  const words = (): string => {
    const zone = preferences.zone
    switch (props.as ?? "moment") {
      case "age":
        return formatAge(now() - Date.parse(props.at))
      case "ago":
        return `${formatAge(now() - Date.parse(props.at))} ago`
      case "exact":
        return formatExact(props.at, zone)
      case "day":
        return formatDay(props.at, zone)
      case "full":
        return formatFull(props.at, zone)
      case "moment":
        return formatMoment(props.at, zone)
    }
  }
  return (
    <time class={props.class} dateTime={props.at} title={formatFull(props.at, preferences.zone)}>
      {words()}
    </time>
  )
}
