import type { Backend, Change, CommandFailure, InstallOptions, Installed, Outcome, Pending, Wanted } from "./Backend.ts"
import { classify } from "./Backend.ts"
import { seeded } from "./Seeded.ts"
import type { BasePackage, Distro, DistroFacts } from "./Universe.ts"
import { distroFacts, looksUrgent, needsReboot, nextVersion } from "./Universe.ts"

const fail = (family: "apt" | "dnf", stderr: string): Outcome => {
  const command = family === "apt" ? "apt-get" : "dnf"
  const exitCode = family === "apt" ? 100 : 1
  const failure: CommandFailure = {
    errorCode: classify(stderr),
    message: `${command} failed (exit ${exitCode}): ${stderr}`,
    exitCode,
    stdout: "",
    stderr: `${stderr}\n`
  }
  return { changes: [], failure }
}

interface Placed extends BasePackage {
  /** Its place in the distribution's list; a host has the first so many. */
  readonly place: number
}

export interface RememberedPackages {
  readonly differs: ReadonlyMap<string, string | null>
  readonly waiting: ReadonlyMap<string, string>
  readonly rebootOwed: boolean
}

const byName = new Map<Distro, ReadonlyMap<string, Placed>>()

const indexOf = (distro: Distro): ReadonlyMap<string, Placed> => {
  const known = byName.get(distro)
  if (known !== undefined) return known
  const index = new Map(distroFacts(distro).packages.map((base, place) => [base.name, { ...base, place }]))
  byName.set(distro, index)
  return index
}

/**
 * A package manager over a shared, seeded universe. A host keeps only what sets it apart from its distribution:
 * how many packages it has, the versions that differ, and the updates that wait.
 */
export class SimulatedBackend implements Backend {
  readonly kind = "simulated"
  readonly family: "apt" | "dnf"
  private readonly distro: Distro
  private readonly facts: DistroFacts
  private readonly count: number
  /** Versions that differ from the distribution's; null is removed. */
  private readonly differs = new Map<string, string | null>()
  private readonly waiting = new Map<string, string>()
  /** Versions the archive has held of a package, oldest first. */
  private readonly archive = new Map<string, Array<string>>()
  private rebootOwed = false

  constructor(distro: Distro, seed: number) {
    this.distro = distro
    this.facts = distroFacts(distro)
    this.family = this.facts.backend
    const random = seeded(seed)
    this.count = Math.min(this.facts.packages.length, random.int(250, 600))
    const wanted = random.next() < 0.12 ? 0 : random.int(1, 40)
    const candidates = this.facts.packages.slice(0, this.count)
    for (const base of candidates) {
      if (this.waiting.size >= wanted) break
      if (looksUrgent(base.name) && random.next() < 0.5) this.offer(base.name, nextVersion(distro, base.version))
    }
    while (this.waiting.size < wanted) {
      const base = candidates[random.int(0, candidates.length - 1)]
      if (base !== undefined) this.offer(base.name, nextVersion(distro, base.version))
    }
  }

  /** What sets the host apart now. */
  remember(): RememberedPackages {
    return { differs: new Map(this.differs), waiting: new Map(this.waiting), rebootOwed: this.rebootOwed }
  }

  /** Says which packages have another version than before. */
  async goBackTo(kept: RememberedPackages): Promise<ReadonlyArray<Change>> {
    const before = new Map((await this.installed()).map(({ name, version }) => [name, version]))
    for (const [target, source] of [
      [this.differs, kept.differs],
      [this.waiting, kept.waiting]
    ] as ReadonlyArray<[Map<string, string | null>, ReadonlyMap<string, string | null>]>) {
      target.clear()
      for (const [name, version] of source) target.set(name, version)
    }
    this.rebootOwed = kept.rebootOwed
    const after = new Map((await this.installed()).map(({ name, version }) => [name, version]))
    return [...new Set([...before.keys(), ...after.keys()])]
      .filter((name) => before.get(name) !== after.get(name))
      .map((name) => ({ name, from: before.get(name) ?? null, to: after.get(name) ?? null }))
  }

  private offer(name: string, version: string): void {
    this.waiting.set(name, version)
    const known = this.archive.get(name) ?? [indexOf(this.distro).get(name)?.version ?? version]
    if (!known.includes(version)) known.push(version)
    this.archive.set(name, known)
  }

  private current(name: string): string | null {
    const differing = this.differs.get(name)
    if (differing !== undefined) return differing
    const base = indexOf(this.distro).get(name)
    return base !== undefined && base.place < this.count ? base.version : null
  }

  private set(name: string, to: string | null): Change {
    const from = this.current(name)
    this.differs.set(name, to)
    const known = this.archive.get(name) ?? []
    const offered = this.waiting.get(name)
    if (to === null || offered === undefined || known.indexOf(offered) <= known.indexOf(to)) this.waiting.delete(name)
    if (to === null) this.waiting.delete(name)
    if (to !== null && needsReboot(name)) this.rebootOwed = true
    return { name, from, to }
  }

  /** Brings back what the ledger says was applied in an earlier life of the process. */
  replay(changes: ReadonlyArray<Change>): void {
    for (const change of changes) {
      if (change.to !== null) this.offer(change.name, change.to)
      this.set(change.name, change.to)
    }
  }

  /** A new update appears for an installed package; without a name a seeded one is picked. Undefined when none can be. */
  publish(pick: () => number, name?: string, version?: string): Pending | undefined {
    const chosen = name ?? this.facts.packages[Math.floor(pick() * this.count)]?.name
    if (chosen === undefined) return undefined
    const current = this.current(chosen)
    if (current === null) return undefined
    const available = version ?? nextVersion(this.distro, this.waiting.get(chosen) ?? current)
    this.offer(chosen, available)
    return { name: chosen, current, available, arch: indexOf(this.distro).get(chosen)?.arch ?? "amd64" }
  }

  private list(): ReadonlyArray<Installed> {
    const names = new Set(this.facts.packages.slice(0, this.count).map((base) => base.name))
    for (const name of this.differs.keys()) names.add(name)
    const index = indexOf(this.distro)
    return [...names].flatMap((name) => {
      const version = this.current(name)
      const base = index.get(name)
      return version === null
        ? []
        : [
            {
              name,
              version,
              arch: base?.arch ?? "amd64",
              sizeKb: base?.sizeKb ?? 100,
              description: base?.description ?? "",
              dependencies: []
            }
          ]
    })
  }

  installed(): Promise<ReadonlyArray<Installed>> {
    return Promise.resolve(this.list())
  }

  pending(): Promise<ReadonlyArray<Pending>> {
    const index = indexOf(this.distro)
    return Promise.resolve(
      [...this.waiting].flatMap(([name, available]) => {
        const current = this.current(name)
        return current === null ? [] : [{ name, current, available, arch: index.get(name)?.arch ?? "amd64" }]
      })
    )
  }

  available(names: ReadonlyArray<string>): Promise<ReadonlyMap<string, ReadonlyArray<string>>> {
    const index = indexOf(this.distro)
    const of = (name: string): ReadonlyArray<string> => {
      const base = index.get(name)
      return (this.archive.get(name) ?? (base === undefined ? [] : [base.version])).toReversed()
    }
    return Promise.resolve(new Map(names.map((name) => [name, of(name)])))
  }

  refresh(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  upgrade(names: ReadonlyArray<string> | undefined): Promise<Outcome> {
    const chosen = names ?? [...this.waiting.keys()]
    const unknown = chosen.find((name) => this.current(name) === null && !indexOf(this.distro).has(name))
    if (unknown !== undefined) return Promise.resolve(this.notFound(unknown))
    const changes: Array<Change> = []
    for (const name of chosen) {
      const target = this.waiting.get(name) ?? this.current(name) ?? indexOf(this.distro).get(name)?.version
      if (target !== undefined && target !== this.current(name)) changes.push(this.set(name, target))
    }
    return Promise.resolve({ changes })
  }

  install(wanted: ReadonlyArray<Wanted>, options: InstallOptions): Promise<Outcome> {
    const plan: Array<{ readonly name: string; readonly version: string }> = []
    for (const { name, version } of wanted) {
      const base = indexOf(this.distro).get(name)
      const known = this.archive.get(name) ?? (base === undefined ? [] : [base.version])
      const newest = known.at(-1)
      if (newest === undefined) return Promise.resolve(this.notFound(name))
      const target = version ?? newest
      if (!known.includes(target)) {
        return Promise.resolve(
          fail(
            this.family,
            this.family === "apt"
              ? `E: Version '${target}' for '${name}' was not found`
              : `Error: Unable to find a match: No match for argument: ${name}-${target}`
          )
        )
      }
      const current = this.current(name)
      if (current !== null && known.indexOf(target) < known.indexOf(current) && !options.allowDowngrades) {
        return Promise.resolve(
          fail(
            this.family,
            this.family === "apt"
              ? "E: Packages were downgraded and -y was used without --allow-downgrades."
              : `Error: Package ${name}-${current} is newer than ${name}-${target}; use downgrade.`
          )
        )
      }
      plan.push({ name, version: target })
    }
    const changes = plan.flatMap(({ name, version }) => {
      if (this.current(name) === version) return []
      const change = this.set(name, version)
      const newest = this.archive.get(name)?.at(-1)
      if (newest !== undefined && newest !== version) this.waiting.set(name, newest)
      return [change]
    })
    return Promise.resolve({ changes })
  }

  remove(name: string): Promise<Outcome> {
    if (this.current(name) !== null) return Promise.resolve({ changes: [this.set(name, null)] })
    return Promise.resolve(indexOf(this.distro).has(name) ? { changes: [] } : this.notFound(name))
  }

  private notFound(name: string): Outcome {
    return fail(
      this.family,
      this.family === "apt"
        ? `E: Unable to locate package ${name}`
        : `Error: Unable to find a match: No match for argument: ${name}`
    )
  }

  rebootRequired(): boolean {
    return this.rebootOwed
  }

  clearRebootRequired(): void {
    this.rebootOwed = false
  }
}
