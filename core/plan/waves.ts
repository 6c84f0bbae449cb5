/** Waves and error limits as numbers of hosts. */
import type { ErrorLimit, Wave } from "../Job.ts"

/** Hosts in each wave; what the given waves leave is the last one. Percent of all hosts, rounded up. */
export const resolveWaves = (waves: ReadonlyArray<Wave>, hosts: number): Array<number> => {
  const sizes: Array<number> = []
  let left = hosts
  for (const wave of waves) {
    if (left === 0) break
    const wanted = "hosts" in wave ? wave.hosts : Math.ceil((hosts * wave.percent) / 100)
    const size = Math.min(wanted, left)
    sizes.push(size)
    left -= size
  }
  if (left > 0) sizes.push(left)
  return sizes
}

/** So many hosts may fail; percent of all hosts, rounded down, so that "more than n %" stops. */
export const resolveErrorLimit = (limit: ErrorLimit | undefined, hosts: number): number | null => {
  if (limit === undefined) return null
  return "hosts" in limit ? limit.hosts : Math.floor((hosts * limit.percent) / 100)
}

/** The wave, from 1, of the host at this place. */
export const waveAt = (waves: ReadonlyArray<number>, index: number): number => {
  let before = 0
  for (const [n, size] of waves.entries()) {
    before += size
    if (index < before) return n + 1
  }
  return Math.max(waves.length, 1)
}
