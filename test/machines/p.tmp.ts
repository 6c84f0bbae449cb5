import { hostStep } from "#machines/step.ts"
import { simulate } from "./simulation/simulate.ts"
const t=process.cpuUsage(); const r=simulate(500,1,{step:hostStep}); const u=process.cpuUsage(t); console.log(u.user/1000+u.system/1000, r.events, r.crashes, r.broken.length)
