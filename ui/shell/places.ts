/** The pages one can go to, as the rail, the tab bar, the breadcrumb and the palette name them. */
import type { Permission } from "#core/Permission.ts"
import { may } from "../api/session.ts"
import type { IconName } from "../kit/Icon.tsx"

export interface Place {
  readonly path: string
  readonly name: string
  readonly group: "Overview" | "Fleet" | "Work" | "System"
  readonly icon: IconName
  /** Shown to those who have it; to everybody where nothing is said. */
  readonly permission?: Permission
}

export const places: ReadonlyArray<Place> = [
  { path: "/", name: "Dashboard", group: "Overview", icon: "dashboard" },
  { path: "/hosts", name: "Hosts", group: "Fleet", icon: "host" },
  { path: "/groups", name: "Groups", group: "Fleet", icon: "group" },
  { path: "/discovery", name: "Discover hosts", group: "Fleet", icon: "search" },
  { path: "/enrolments", name: "Enrolments", group: "Fleet", icon: "shield" },
  { path: "/deploy", name: "Deploy", group: "Work", icon: "deploy" },
  { path: "/jobs", name: "Jobs", group: "Work", icon: "jobs" },
  { path: "/windows", name: "Windows", group: "Work", icon: "calendar" },
  { path: "/holds", name: "Holds", group: "Work", icon: "hold" },
  { path: "/users", name: "Users", group: "System", icon: "user", permission: "users:read" },
  { path: "/security/sessions", name: "Sessions", group: "System", icon: "clock", permission: "sessions:read" },
  { path: "/security/tokens", name: "API tokens", group: "System", icon: "key", permission: "tokens:read" },
  { path: "/network", name: "Access", group: "System", icon: "shield", permission: "network:read" },
  { path: "/audit", name: "Audit", group: "System", icon: "read", permission: "audit:read" },
  { path: "/security/sso", name: "Identity providers", group: "System", icon: "globe", permission: "sso:read" },
  { path: "/settings", name: "Settings", group: "System", icon: "settings" }
]

/** The pages that the signed-in person may go to. */
export const openPlaces = (): ReadonlyArray<Place> =>
  places.filter(({ permission }) => permission === undefined || may(permission))

/** On a phone's tab bar; the drawer has the rest. */
export const tabs: ReadonlyArray<Place> = places.filter(({ path }) => ["/", "/hosts", "/jobs"].includes(path))

export const isAt = (place: Place, pathname: string): boolean =>
  place.path === "/" ? pathname === "/" : pathname === place.path || pathname.startsWith(`${place.path}/`)
