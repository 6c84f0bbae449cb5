import { parseArgs } from "node:util"
import { serveControl } from "./ControlServer.ts"
import { startFleet, testTiming, watchedTiming } from "./Fleet.ts"
import { defaultMix, parseMix } from "./hostNames.ts"
import { mixSeed, seeded } from "./Seeded.ts"

const whole = (name: string, text: string, low: number, high: number): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= low && value <= high) return value
  throw new Error(`--${name} must be a whole number from ${low} to ${high}, not "${text}"`)
}

const range = (name: string, text: string): readonly [number, number] => {
  const [low = "", high = low] = text.split("-")
  return [whole(name, low, 0, 3_600_000), whole(name, high, Number(low), 3_600_000)]
}

/** The fleet as a process of its own: prints one JSON line when it listens, ends on a signal or with its parent. */
const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      fleet: { type: "string", default: "25" },
      dir: { type: "string" },
      port: { type: "string", default: "12443" },
      seed: { type: "string", default: "1" },
      control: { type: "string" },
      "profile-mix": { type: "string" },
      "publish-every": { type: "string", default: "0" },
      speed: { type: "string", default: "watched" },
      "job-ms": { type: "string" },
      "reboot-ms": { type: "string" },
      "minute-ms": { type: "string" },
      "no-rate-limit": { type: "boolean", default: false }
    }
  })
  if (values.dir === undefined) throw new Error("--dir is missing: the fleet keeps its certificates and ledger there")
  if (values.speed !== "watched" && values.speed !== "test") throw new Error("--speed must be watched or test")
  const seed = whole("seed", values.seed, 0, 0xffffffff)
  const fleet = await startFleet({
    dir: values.dir,
    count: whole("fleet", values.fleet, 0, 60_000),
    port: whole("port", values.port, 0, 65_535),
    seed,
    profileMix: values["profile-mix"] === undefined ? defaultMix : parseMix(values["profile-mix"]),
    timing: {
      ...(values.speed === "test" ? testTiming : watchedTiming),
      ...(values["job-ms"] === undefined ? {} : { jobMs: range("job-ms", values["job-ms"]) }),
      ...(values["reboot-ms"] === undefined ? {} : { rebootMs: range("reboot-ms", values["reboot-ms"]) }),
      ...(values["minute-ms"] === undefined ? {} : { minuteMs: whole("minute-ms", values["minute-ms"], 1, 3_600_000) })
    },
    rateLimit: !values["no-rate-limit"]
  })
  const closeControl = values.control === undefined ? undefined : await serveControl(fleet, values.control)

  const everySeconds = whole("publish-every", values["publish-every"], 0, 86_400)
  const random = seeded(mixSeed(seed, 7))
  const addresses = fleet.hosts().map((host) => host.address)
  const publishing =
    everySeconds === 0
      ? undefined
      : setInterval(() => {
          const address = addresses[random.int(0, addresses.length - 1)]
          if (address !== undefined) fleet.publish(address)
        }, everySeconds * 1000)

  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    clearInterval(publishing)
    void Promise.all([fleet.stop(), closeControl?.()]).then(() => process.exit(0))
  }
  process.on("SIGTERM", stop)
  process.on("SIGINT", stop)
  if (process.channel !== undefined) process.on("disconnect", stop)
  process.stdout.write(
    `${JSON.stringify({ ready: true, port: fleet.port, hosts: addresses.length, control: values.control ?? null, pid: process.pid })}\n`
  )
}

main().catch((cause: unknown) => {
  const code = (cause as { readonly code?: unknown }).code
  const message = cause instanceof Error ? cause.message : String(cause)
  process.stderr.write(
    code === "EADDRINUSE"
      ? "The fleet's port is taken. Stop the other fleet or choose another port with --port.\n"
      : `The fleet did not start: ${message}\n`
  )
  process.exit(1)
})
