import type { ProfileName } from "./Profile.ts"
import { isProfileName } from "./Profile.ts"
import type { Distro } from "./Universe.ts"

const roles = ["web", "db", "app", "cache", "queue", "mail", "build", "proxy", "search", "log", "edge", "auth", "file"]
const sites = ["fra", "ams", "lon", "nyc", "sin"]

/** The loopback address of the n-th host: 127.77.0.1 and upwards, without .0 and .255. */
export const addressOf = (index: number): string => `127.77.${Math.floor(index / 254)}.${(index % 254) + 1}`

/** A believable, unique name for the n-th host, like web-01.fra.example.test. */
export const fqdnOf = (index: number): string => {
  const site = sites[Math.floor(index / roles.length) % sites.length] ?? "fra"
  const number = Math.floor(index / (roles.length * sites.length)) + 1
  return `${roles[index % roles.length] ?? "web"}-${String(number).padStart(2, "0")}.${site}.example.test`
}

const distros: ReadonlyArray<Distro> = [
  "ubuntu-24.04",
  "debian-12",
  "ubuntu-22.04",
  "rocky-9",
  "ubuntu-24.04",
  "debian-13",
  "ubuntu-24.04",
  "ubuntu-22.04"
]

export const distroOf = (index: number): Distro => distros[index % distros.length] ?? "ubuntu-24.04"

/** How many of every so many hosts run a generation of the agent. */
export type ProfileMix = Readonly<Partial<Record<ProfileName, number>>>

export const defaultMix: ProfileMix = { "2.5.5": 8, "2.7": 7, "2.4": 4, "1.2": 3, "1.0": 2, next: 1 }

/** Reads `2.7:3,1.0:1`. */
export const parseMix = (text: string): ProfileMix => {
  const mix: Partial<Record<ProfileName, number>> = {}
  for (const part of text.split(",")) {
    const [name = "", weight = "1"] = part.split(":")
    if (!isProfileName(name) || !/^\d+$/.test(weight)) {
      throw new Error(`"${part}" is not a profile with a weight; write for example 2.7:3,1.0:1`)
    }
    mix[name] = Number(weight)
  }
  return mix
}

/** Spreads a mix over the fleet so that any stretch of hosts has about its share of each generation. */
export const profileSequence = (mix: ProfileMix): ReadonlyArray<ProfileName> => {
  const entries = Object.entries(mix).filter((entry): entry is [ProfileName, number] => isProfileName(entry[0]))
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
  const credit = entries.map(([name, weight]) => ({ name, weight, owed: 0 }))
  return Array.from({ length: total }, () => {
    for (const one of credit) one.owed += one.weight
    const next = credit.reduce((best, one) => (one.owed > best.owed ? one : best))
    next.owed -= total
    return next.name
  })
}
