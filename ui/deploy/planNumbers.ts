/** A plan in numbers and by package, for the page that asks before anything is done. Pure. */
import type { Plan, PlannedHost, UndoAnswer } from "#core/Plan.ts"

export interface PackageRow {
  readonly name: string
  readonly from: ReadonlyArray<string>
  readonly to: ReadonlyArray<string>
  readonly hosts: number
}

export interface PlanNumbers {
  /** Something will be sent to them. */
  readonly touched: number
  readonly changes: number
  readonly packages: ReadonlyArray<PackageRow>
  readonly restarts: { readonly yes: number; readonly if_needed: number; readonly unknown: number }
  readonly skipped: ReadonlyArray<PlannedHost>
  readonly waiting: ReadonlyArray<PlannedHost>
  readonly unread: number
  readonly held: number
  readonly undo: Readonly<Record<UndoAnswer["answer"], number>>
  /** The earliest start; null where none can be said. */
  readonly first: string | null
  readonly last: string | null
}

const each = <A extends string>(keys: ReadonlyArray<A>, of: (key: A) => number): Record<A, number> =>
  Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<A, number>

const byPackage = (hosts: ReadonlyArray<PlannedHost>): ReadonlyArray<PackageRow> => {
  const rows = new Map<string, { from: Set<string>; to: Set<string>; hosts: number }>()
  for (const host of hosts) {
    for (const change of host.changes ?? []) {
      const row = rows.get(change.name) ?? { from: new Set<string>(), to: new Set<string>(), hosts: 0 }
      row.from.add(change.from ?? "not installed")
      row.to.add(change.goal === "absent" ? "removed" : (change.to ?? "newest"))
      row.hosts += 1
      rows.set(change.name, row)
    }
  }
  return [...rows]
    .map(([name, row]) => ({ name, from: [...row.from], to: [...row.to], hosts: row.hosts }))
    .toSorted((a, b) => b.hosts - a.hosts || a.name.localeCompare(b.name))
}

export const planNumbers = (plan: Plan): PlanNumbers => {
  const going = plan.hosts.filter((host) => host.skipped === null)
  const starts = going.flatMap((host) => (host.starts_at === null ? [] : [host.starts_at])).toSorted()
  const restart = (answer: PlannedHost["reboot"]): number => going.filter((host) => host.reboot === answer).length
  return {
    touched: going.length,
    changes: going.reduce((sum, host) => sum + (host.changes?.length ?? 0), 0),
    packages: byPackage(going),
    restarts: { yes: restart("yes"), if_needed: restart("if_needed"), unknown: restart("cannot_be_known") },
    skipped: plan.hosts.filter((host) => host.skipped !== null),
    waiting: going.filter((host) => host.waits_for !== null),
    unread: going.filter((host) => host.changes === null).length,
    held: plan.hosts.reduce((sum, host) => sum + host.held.length, 0),
    undo: each(
      ["yes", "partly", "no", "cannot_be_known"],
      (answer) => going.filter((host) => host.undo.answer === answer).length
    ),
    first: starts[0] ?? null,
    last: starts.at(-1) ?? null
  }
}

export const skippedWords: Readonly<Record<NonNullable<PlannedHost["skipped"]>, string>> = {
  nothing_to_do: "Nothing to do",
  all_held: "All its updates are held",
  leaving: "It is being removed",
  parked: "It is set aside: look at its page"
}
