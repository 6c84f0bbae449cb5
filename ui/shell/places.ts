/** The pages one can go to, as the rail, the tab bar, the breadcrumb and the palette name them. */
import type { IconName } from "../kit/Icon.tsx"

export interface Place {
  readonly path: string
  readonly name: string
  readonly group: "Overview" | "Fleet" | "Work"
  readonly icon: IconName
}

export const places: ReadonlyArray<Place> = [
  { path: "/", name: "Dashboard", group: "Overview", icon: "dashboard" },
  { path: "/hosts", name: "Hosts", group: "Fleet", icon: "host" },
  { path: "/jobs", name: "Jobs", group: "Work", icon: "jobs" }
]

export const isAt = (place: Place, pathname: string): boolean =>
  place.path === "/" ? pathname === "/" : pathname === place.path || pathname.startsWith(`${place.path}/`)
