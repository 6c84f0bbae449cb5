/** One installed package, as the backend's own list command gives it. */
export interface Installed {
  readonly name: string
  readonly version: string
  readonly arch: string
  readonly sizeKb: number
  readonly description: string
  readonly dependencies: ReadonlyArray<string>
}

/** One pending update, before an agent's generation distorts it. */
export interface Pending {
  readonly name: string
  readonly current: string
  readonly available: string
  readonly arch: string
}

/** A package whose version really changed; null means not installed. */
export interface Change {
  readonly name: string
  readonly from: string | null
  readonly to: string | null
}

/** Why a package command failed, in the agent's words. */
export interface CommandFailure {
  readonly errorCode: string
  readonly message: string
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** What a command really changed, also when it failed half way. */
export interface Outcome {
  readonly changes: ReadonlyArray<Change>
  readonly failure?: CommandFailure
}

export interface Wanted {
  readonly name: string
  readonly version: string | null
}

export interface InstallOptions {
  readonly noRecommends: boolean
  readonly allowDowngrades: boolean
}

/** The package manager under an agent. Mutations report what changed instead of throwing. */
export interface Backend {
  readonly kind: "simulated" | "apt"
  readonly family: "apt" | "dnf"
  readonly installed: () => Promise<ReadonlyArray<Installed>>
  readonly pending: () => Promise<ReadonlyArray<Pending>>
  /** Versions of a package that the archives hold, newest first. */
  readonly available: (names: ReadonlyArray<string>) => Promise<ReadonlyMap<string, ReadonlyArray<string>>>
  readonly refresh: () => Promise<CommandFailure | undefined>
  /** Upgrades the named packages, or everything when no list is given. */
  readonly upgrade: (names: ReadonlyArray<string> | undefined, signal: AbortSignal) => Promise<Outcome>
  readonly install: (wanted: ReadonlyArray<Wanted>, options: InstallOptions, signal: AbortSignal) => Promise<Outcome>
  readonly remove: (name: string, signal: AbortSignal) => Promise<Outcome>
  readonly rebootRequired: () => boolean
  readonly clearRebootRequired: () => void
}

/** Puts packages back to where these changes found them; what they brought is removed. */
export const restore = async (
  backend: Backend,
  undone: ReadonlyArray<Change>,
  signal: AbortSignal
): Promise<Outcome> => {
  const back = undone.flatMap(({ name, from }) => (from === null ? [] : [{ name, version: from }]))
  const steps = [
    ...(back.length === 0 ? [] : [() => backend.install(back, { noRecommends: false, allowDowngrades: true }, signal)]),
    ...undone.flatMap(({ name, from }) => (from === null ? [() => backend.remove(name, signal)] : []))
  ]
  const changes: Array<Change> = []
  for (const step of steps) {
    const outcome = await step()
    changes.push(...outcome.changes)
    if (outcome.failure !== undefined) return { changes, failure: outcome.failure }
  }
  return { changes }
}

/** The agent's reading of a failed command's output. */
export const classify = (stderr: string): string => {
  if (/Unable to locate package|was not found|No match for argument|has no installation candidate/.test(stderr)) {
    return "PKG_NOT_FOUND"
  }
  if (/unmet dependencies|held broken packages/.test(stderr)) return "DEPENDENCY_CONFLICT"
  if (/Could not resolve|Failed to fetch|Unable to fetch/.test(stderr)) return "NETWORK_ERROR"
  if (/NO_PUBKEY|not signed|GPG error/.test(stderr)) return "GPG_ERROR"
  if (/Permission denied|are you root/.test(stderr)) return "PERMISSION_DENIED"
  return "PKG_MANAGER_ERROR"
}
