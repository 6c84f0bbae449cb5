/** What one generation of the agent does on the wire; agent-api.md section 9 is the source of every flag. */
export type ProfileName = "1.0" | "1.2" | "2.4" | "2.5.5" | "2.7" | "next"

export interface Profile {
  readonly name: ProfileName
  /** Answered by the health call. */
  readonly version: string
  /** Health knows the package cache and the revocation list. */
  readonly cacheHealth: boolean
  /** Health knows the repository key. */
  readonly gpgHealth: boolean
  /** Health knows the manager's repository configuration. */
  readonly repoHealth: boolean
  /** 1.0 answers the upgrade with 101 and no handshake. */
  readonly webSocket: "stub" | "real"
  readonly services: boolean
  readonly rateLimit: boolean
  readonly queueCap: boolean
  readonly validatesNames: boolean
  readonly refusesDuplicateHeaders: boolean
  /** One package change at a time; the others wait as pending. */
  readonly serialMutations: boolean
  /** error_code, exit_code and the command's output on failed jobs. */
  readonly errorCodes: boolean
  /** `reboot` forces a reboot below 2.5.5; from there `allow_reboot` (alias `reboot`) permits a needed one. */
  readonly rebootFlag: "always" | "if_needed"
  /** Patches say themselves whether they need a reboot. */
  readonly realRebootNeed: boolean
  readonly rebootTiers: "old" | "tiers"
  readonly packageDbClean: boolean
  readonly selfUpdate: boolean
  /** What a restart of the agent leaves of its job list. */
  readonly jobMemory: "memory" | "running_only" | "history"
  readonly rebootingStatus: boolean
  readonly allowsDowngrade: boolean
  /** Carries out a rollback; the others leave it pending for ever. */
  readonly runsRollback: boolean
  /** One package's answer says which versions the archives hold. */
  readonly tellsVersions: boolean
}

const v10: Profile = {
  name: "1.0",
  version: "1.0.0",
  cacheHealth: false,
  gpgHealth: false,
  repoHealth: false,
  webSocket: "stub",
  services: false,
  rateLimit: false,
  queueCap: false,
  validatesNames: false,
  refusesDuplicateHeaders: false,
  serialMutations: false,
  errorCodes: false,
  rebootFlag: "always",
  realRebootNeed: false,
  rebootTiers: "old",
  packageDbClean: false,
  selfUpdate: false,
  jobMemory: "memory",
  rebootingStatus: false,
  allowsDowngrade: false,
  runsRollback: false,
  tellsVersions: false
}

const v12: Profile = {
  ...v10,
  name: "1.2",
  version: "1.2.0",
  cacheHealth: true,
  webSocket: "real",
  services: true,
  rateLimit: true,
  queueCap: true,
  validatesNames: true,
  refusesDuplicateHeaders: true
}

const v24: Profile = {
  ...v12,
  name: "2.4",
  version: "2.4.0",
  gpgHealth: true,
  serialMutations: true,
  errorCodes: true,
  rebootTiers: "tiers",
  selfUpdate: true
}

const v255: Profile = {
  ...v24,
  name: "2.5.5",
  version: "2.5.5",
  repoHealth: true,
  rebootFlag: "if_needed",
  realRebootNeed: true,
  jobMemory: "running_only"
}

const v27: Profile = {
  ...v255,
  name: "2.7",
  version: "2.7.0",
  packageDbClean: true,
  jobMemory: "history",
  rebootingStatus: true
}

/** Every generation by name; `next` is 2.7 that goes back to older versions, by an install and by a rollback. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  "1.0": v10,
  "1.2": v12,
  "2.4": v24,
  "2.5.5": v255,
  "2.7": v27,
  next: { ...v27, name: "next", version: "3.0.0", allowsDowngrade: true, runsRollback: true, tellsVersions: true }
}

export const isProfileName = (text: string): text is ProfileName => Object.hasOwn(profiles, text)
