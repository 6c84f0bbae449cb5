import { hostStep } from "#machines/step.ts"
import { simulate, describeBroken } from "#test/machines/simulation/simulate.ts"
const sum: any = {}
let bad = 0
const places = new Set<string>(),
  taken = new Set<string>()
for (let from = 1; from <= 20000; from += 1000) {
  const r = simulate(1000, from, { step: hostStep })
  bad += r.broken.length
  for (const k of ["events", "crashes", "sends", "starts"] as const) sum[k] = (sum[k] ?? 0) + r[k]
  for (const [k, v] of Object.entries(r.endings)) sum[k] = (sum[k] ?? 0) + v
  r.places.forEach((p) => places.add(p))
  r.taken.forEach((p) => taken.add(p))
  if (r.broken.length) console.log(describeBroken(r))
  console.log(from, bad)
}
console.log(sum, places.size, taken.size, process.cpuUsage())
