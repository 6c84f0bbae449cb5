/** What an agent of a given version can do beyond the oldest ones, as far as its version says. */

type Release = readonly [major: number, minor: number, patch: number]

/** First release with each ability. */
const since = {
  /** Installs an older version than the one that is there. */
  downgrades: [3, 0, 0],
  /** Carries out a rollback that it accepted; older ones leave it pending for ever. */
  rollback: [3, 0, 0],
  /** Tells whether a service is up. */
  services: [1, 2, 0],
  /** Tells whether the package database is clean. */
  database_state: [2, 7, 0],
  /** Knows every distribution's sign of a restart that is owed. */
  reboot_need: [2, 5, 5],
  /** Its job list survives a restart. */
  durable_jobs: [2, 7, 0]
} satisfies Record<string, Release>

export type AgentAbility = keyof typeof since
export type AgentAbilities = Readonly<Record<AgentAbility, boolean>>

/** Without a leading `v` and a package revision such as `-1`. */
export const normalAgentVersion = (text: string): string => text.replace(/^v(?=\d)/, "").replace(/-\d+$/, "")

const isAtLeast = (version: string, wanted: Release): boolean => {
  const parts = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(normalAgentVersion(version))
  if (!parts) return false
  for (let i = 0; i < 3; i++) {
    const part = Number(parts[i + 1] ?? 0)
    const other = wanted[i] ?? 0
    if (part !== other) return part > other
  }
  return true
}

/** False also where the version is not known, or not a version. */
export const canAgent = (version: string | null, ability: AgentAbility): boolean =>
  version !== null && isAtLeast(version, since[ability])

export const agentAbilities = (version: string | null): AgentAbilities => ({
  downgrades: canAgent(version, "downgrades"),
  rollback: canAgent(version, "rollback"),
  services: canAgent(version, "services"),
  database_state: canAgent(version, "database_state"),
  reboot_need: canAgent(version, "reboot_need"),
  durable_jobs: canAgent(version, "durable_jobs")
})
