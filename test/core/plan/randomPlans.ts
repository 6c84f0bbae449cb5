/** Random jobs and hosts by seed, and what may happen to a host between its plan and its run. */
import { HoldId } from "#core/Ids.ts"
import type { HeldPattern } from "#core/Hold.ts"
import type { Change } from "#core/Package.ts"
import type { PlanHost, PlanJob, PlanPatch } from "#core/plan/PlanFacts.ts"
import { resolveWaves } from "#core/plan/waves.ts"
import type { EffectiveWindows } from "#core/window/effective.ts"
import type { Seeded } from "#test/fleet/Seeded.ts"
import {
  aPlanHost,
  aPlanJob,
  aWindow,
  effective,
  hostId,
  HOUR,
  NOON,
  orderId,
  patch,
  windowId
} from "./planFixtures.ts"

const names = ["curl", "jq", "vim", "bash", "libssl3", "linux-image-amd64", "zlib1g", "constructor"]

export const pick = <A>(random: Seeded, all: ReadonlyArray<A>): A => all[random.int(0, all.length - 1)]!
const chance = (random: Seeded, of: number): boolean => random.next() < of

/** Two dozen calendars that hosts share. */
const calendars: ReadonlyArray<EffectiveWindows> = [
  effective(),
  ...Array.from({ length: 24 }, (_, n) =>
    effective(
      aWindow(n, { duration_minutes: 30 + n * 10 }),
      ...(n % 3 === 0 ? [aWindow((n + 1) % 24, { kind: "blackout", name: "Freeze", id: windowId(100 + n) })] : []),
      ...(n % 4 === 0 ? [aWindow((n + 5) % 24, { id: windowId(200 + n) })] : [])
    )
  )
]

const version = (n: number): string => `1.${n}`

const somePatches = (random: Seeded): Array<PlanPatch> =>
  names
    .filter(() => chance(random, 0.4))
    .map((name) => patch(name, version(random.int(0, 3)), version(random.int(4, 6)), chance(random, 0.5)))

const aHold = (random: Seeded, until_ms: number | null): HeldPattern => ({
  hold_id: HoldId.make(hostId(900)),
  pattern: pick(random, ["curl", "lib*", "*", "linux-image-*", "v*m"]),
  reason: "held",
  until_ms
})

export const randomHost = (random: Seeded, n: number): PlanHost => {
  const patches = somePatches(random)
  const installed: Record<string, string | null> = Object.create(null)
  for (const name of names) installed[name] = chance(random, 0.5) ? version(random.int(0, 3)) : null
  for (const one of patches) installed[one.name] = one.current_version
  const effects: Array<Change> = names
    .filter((name) => installed[name] !== null && chance(random, 0.4))
    .map((name) => ({ name, from: chance(random, 0.2) ? null : version(0), to: installed[name] ?? null }))
  return aPlanHost({
    host_id: hostId(n),
    host_name: `host-${n}`,
    link: pick(random, ["healthy", "healthy", "degraded", "unreachable"]),
    agent_version: pick(random, ["1.0.0", "2.5.5", "2.7.0", "3.0.0"]),
    reboot_needed: pick(random, [true, false, false, null]),
    patches: chance(random, 0.05) ? null : patches,
    installed,
    obtainable: chance(random, 0.5) ? Object.fromEntries(names.map((name) => [name, [version(0)]])) : {},
    holds: chance(random, 0.3) ? [aHold(random, chance(random, 0.5) ? null : NOON + random.int(-24, 48) * HOUR)] : [],
    windows: pick(random, calendars),
    busy_with: chance(random, 0.05) ? 3 : null,
    unresolved: chance(random, 0.03),
    leaving: chance(random, 0.02),
    parked: chance(random, 0.02),
    expected_seconds: random.int(30, 3600),
    undone: { order_id: orderId(n), agent_job_id: null, effects }
  })
}

export const randomJob = (random: Seeded, hosts: number): PlanJob => {
  const kind = pick(random, [
    "patch_apply",
    "patch_apply",
    "patch_apply",
    "package_install",
    "package_update",
    "package_remove",
    "reboot",
    "rollback"
  ] as const)
  const one = pick(random, names)
  const when = pick(random, [
    { kind: "immediate" as const },
    { kind: "next_window" as const },
    { kind: "next_window" as const },
    { kind: "at" as const, at: new Date(NOON + random.int(1, 40) * HOUR).toISOString() }
  ])
  return aPlanJob({
    kind,
    when,
    selection: pick(random, [
      { kind: "all" },
      { kind: "security" },
      { kind: "packages", names: ["curl", "vim", one] }
    ] as const),
    packages:
      kind === "package_install"
        ? [{ name: one, version: pick(random, [null, version(2), version(9)]) }]
        : kind === "package_update" || kind === "package_remove"
          ? [{ name: one, version: null }]
          : [],
    method: kind === "rollback" ? "versions" : null,
    reboot: kind === "reboot" ? "always" : pick(random, ["never", "if_needed", "always"]),
    max_concurrency: random.int(1, 4),
    waves: chance(random, 0.3) ? resolveWaves([{ hosts: 1 }], hosts) : [hosts],
    on_change: pick(random, ["stop", "stop", "take"]),
    pin_versions: kind === "patch_apply" && chance(random, 0.3),
    ignore_blackout: when.kind === "immediate" && chance(random, 0.2),
    expires_at: when.kind === "immediate" ? null : NOON + 31 * 24 * HOUR
  })
}

export const happenings = [
  "new_candidate",
  "withdrawn",
  "more_patches",
  "by_hand",
  "hold_added",
  "hold_ended",
  "windows_changed",
  "busy",
  "free_again",
  "unresolved",
  "leaving",
  "parked",
  "reboot_owed"
] as const
export type Happening = (typeof happenings)[number]

const withInstalled = (host: PlanHost, name: string, found: string | null): PlanHost => {
  const installed: Record<string, string | null> = Object.assign(Object.create(null), host.installed)
  installed[name] = found
  return {
    ...host,
    installed,
    patches: host.patches?.map((one) => (one.name === name ? { ...one, current_version: found } : one)) ?? null
  }
}

export const happen = (random: Seeded, host: PlanHost, what: Happening): PlanHost => {
  const patches = host.patches ?? []
  const name = patches.length > 0 && chance(random, 0.8) ? pick(random, patches).name : pick(random, names)
  const replace = (change: (one: PlanPatch) => ReadonlyArray<PlanPatch>): PlanHost => ({
    ...host,
    patches: patches.flatMap((one) => (one.name === name ? change(one) : [one]))
  })
  switch (what) {
    case "new_candidate":
      return replace((one) => [{ ...one, available_version: version(random.int(7, 8)) }])
    case "withdrawn":
      return replace(() => [])
    case "more_patches":
      return patches.some((one) => one.name === name)
        ? host
        : { ...withInstalled(host, name, version(1)), patches: [...patches, patch(name, version(1), version(6))] }
    case "by_hand": {
      const found = pick(random, [null, version(2), version(6), version(9)])
      const changed = withInstalled(host, name, found)
      return found === null || found === version(9) || found === version(6)
        ? { ...changed, patches: changed.patches?.filter((one) => one.name !== name) ?? null }
        : changed
    }
    case "hold_added":
      return { ...host, holds: [...host.holds, aHold(random, null)] }
    case "hold_ended":
      return { ...host, holds: [] }
    case "windows_changed":
      return { ...host, windows: pick(random, calendars) }
    case "busy":
      return { ...host, busy_with: 4 }
    case "free_again":
      return { ...host, busy_with: null, unresolved: false }
    case "unresolved":
      return { ...host, unresolved: true }
    case "leaving":
      return { ...host, leaving: true }
    case "parked":
      return { ...host, parked: true }
    case "reboot_owed":
      return { ...host, reboot_needed: true }
  }
}
