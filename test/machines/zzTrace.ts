import { Life } from "#test/machines/simulation/Life.ts"
import { hostStep, placeOf } from "#machines/step.ts"
const seed = Number(process.argv[2])
const life = new Life({ seed, step: hostStep }) as any
const orig = life.commit.bind(life)
life.commit = (event: any) => { const b = placeOf(life.snapshot).work; orig(event); const a = placeOf(life.snapshot).work; const t = ((life.time.now - 1800000000000)/1000).toFixed(1); if (event.type !== "poll.ok" && event.type !== "poll.failed" || a !== b) console.log(t, b, event.type, "->", a, JSON.stringify(event.evidence ?? event.baseline ?? event.order ?? event.job ?? event.jobs ?? "").slice(0, 420)) }
const r = life.run(); console.log(r.broken); console.log(JSON.stringify(life.host.ledger.starts, null, 0)); console.log(JSON.stringify(life.host.jobs))
