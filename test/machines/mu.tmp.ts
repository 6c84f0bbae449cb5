import { mutations } from "./mutations.ts"
import { hostStep } from "#machines/step.ts"
import { simulate } from "./simulation/simulate.ts"
const show=(name:string,r:any,t:number)=>{const kinds: any = {}; for (const b of r.broken) for (const m of b.broken) { const k=m.replace(/[0-9a-f-]{36}(\/\d+)?/g,'ID').replace(/pkg-\d is not \d/,'P'); kinds[k]??=[0]; kinds[k][0]++; if (kinds[k].length<4) kinds[k].push(b.seed) } console.log(name, r.broken.length, Date.now()-t,'ms'); console.log(kinds)}
const n=Number(process.argv[2]??500)
let t=Date.now(); const base=simulate(n,1,{step:hostStep}); show("none",base,t); console.log(base.crashes, base.events)
for (const [name, make] of Object.entries(mutations)) { t=Date.now(); show(name, simulate(n,1,{step: make(), lateness_ms: name==="shortQuiet"?60000:25000}), t) }
t=Date.now(); show("noResumed", simulate(n,1,{step:hostStep, resumed:false}), t)
