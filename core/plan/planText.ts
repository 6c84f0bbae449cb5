/** A plan as canonical text, a line a host, for its hash and for saying in which hosts two plans differ. */
import type { PlannedHost } from "../Plan.ts"

/** Hosts, names, from and to, reboot and wave: what a job that was looked at has to keep. */
const lineOf = ({ host_id, wave, reboot, changes }: PlannedHost): string =>
  JSON.stringify([
    host_id,
    wave,
    reboot,
    changes === null
      ? null
      : changes.map(({ name, from, to }) => [name, from, to]).toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
  ])

/** The order of the hosts does not count. */
export const planText = (hosts: ReadonlyArray<PlannedHost>): string => hosts.map(lineOf).toSorted().join("\n")

type Line = readonly [string, number, string, ReadonlyArray<readonly [string, string | null, string | null]> | null]

const parse = (text: string): Map<string, Line> =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line): [string, Line] => {
        const parsed: Line = JSON.parse(line)
        return [parsed[0], parsed]
      })
  )

const version = (text: string | null): string => text ?? "no version"

const packageDifferences = (before: Line, after: Line): Array<string> => {
  const [, , , was] = before
  const [, , , is] = after
  if (was === null || is === null) return was === is ? [] : ["its lists were read meanwhile"]
  const old = new Map(was.map((one) => [one[0], one]))
  const now = new Map(is.map((one) => [one[0], one]))
  return [...new Set([...old.keys(), ...now.keys()])].toSorted().flatMap((name) => {
    const a = old.get(name)
    const b = now.get(name)
    if (a === undefined) return [`${name} is new`]
    if (b === undefined) return [`${name} is gone`]
    return a[1] === b[1] && a[2] === b[2]
      ? []
      : [`${name} is ${version(b[1])} to ${version(b[2])} and was ${version(a[1])} to ${version(a[2])}`]
  })
}

/** One sentence for each host that differs, as many as asked for. */
export const planDifferences = (
  before: string,
  after: string,
  nameOf: (host_id: string) => string,
  limit: number
): Array<string> => {
  const was = parse(before)
  const is = parse(after)
  return [...new Set([...was.keys(), ...is.keys()])]
    .flatMap((id) => {
      const a = was.get(id)
      const b = is.get(id)
      if (a === undefined) return [`${nameOf(id)}: not in the plan before.`]
      if (b === undefined) return [`${nameOf(id)}: not in the plan any more.`]
      const parts = [
        ...(a[1] === b[1] ? [] : [`wave ${b[1]} instead of ${a[1]}`]),
        ...(a[2] === b[2] ? [] : [`restart "${b[2]}" instead of "${a[2]}"`]),
        ...packageDifferences(a, b)
      ]
      return parts.length === 0 ? [] : [`${nameOf(id)}: ${parts.join(", ")}.`]
    })
    .slice(0, limit)
}
