/** What a person chose for this browser: theme, density, time zone, single-key shortcuts. */
import { createEffect, createRoot } from "solid-js"
import { createStore } from "solid-js/store"

export interface Preferences {
  readonly theme: "system" | "light" | "dark"
  readonly density: "compact" | "default" | "cosy"
  readonly zone: "utc" | "local"
  /** Single-key shortcuts can get in the way of speech input (WCAG 2.1.4). */
  readonly keys: "on" | "off"
}

const STORED_AS = "patch-manager.preferences"
const usual: Preferences = { theme: "system", density: "default", zone: "utc", keys: "on" }

const allowed: { readonly [K in keyof Preferences]: ReadonlyArray<Preferences[K]> } = {
  theme: ["system", "light", "dark"],
  density: ["compact", "default", "cosy"],
  zone: ["utc", "local"],
  keys: ["on", "off"]
}

const pick = <K extends keyof Preferences>(key: K, value: unknown): Preferences[K] =>
  allowed[key].find((one) => one === value) ?? usual[key]

/** Unknown or damaged entries fall back to the usual. */
export const parsePreferences = (text: string | null): Preferences => {
  let stored: Record<string, unknown> = {}
  try {
    const value: unknown = JSON.parse(text ?? "{}")
    if (typeof value === "object" && value !== null) stored = value as Record<string, unknown>
  } catch {
    stored = {}
  }
  return {
    theme: pick("theme", stored["theme"]),
    density: pick("density", stored["density"]),
    zone: pick("zone", stored["zone"]),
    keys: pick("keys", stored["keys"])
  }
}

const read = (): string | null => {
  try {
    return localStorage.getItem(STORED_AS)
  } catch {
    return null
  }
}

const [preferences, setPreferences] = createStore<Preferences>(parsePreferences(read()))
export { preferences }

export const prefer = <K extends keyof Preferences>(key: K, value: Preferences[K]): void => {
  setPreferences({ [key]: value })
  try {
    localStorage.setItem(STORED_AS, JSON.stringify(preferences))
  } catch {
    // A browser that stores nothing keeps the choice until the page is left.
  }
}

createRoot(() =>
  createEffect(() => {
    document.documentElement.dataset["theme"] = preferences.theme
    document.documentElement.dataset["density"] = preferences.density
  })
)
