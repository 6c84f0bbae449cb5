import { hostStep } from "#machines/step.ts"
import { simulate, describeBroken } from "./simulation/simulate.ts"
const t=Date.now(); const r=simulate(Number(process.argv[2]??200), Number(process.argv[3]??1), { step: hostStep })
console.log(Date.now()-t,"ms", {...r, broken: r.broken.length, places:r.places.size, taken:r.taken.size}); console.log(describeBroken(r))
const kinds: any = {}; for (const b of r.broken) for (const m of b.broken) { const k=m.replace(/[0-9a-f-]{36}(\/\d+)?/g,'ID'); kinds[k]??=[0]; kinds[k][0]++; if (kinds[k].length<4) kinds[k].push(b.seed) } console.log(kinds)
