/**
 * One row of the fault matrix as a test: `faultRow("F03", "SIGKILL after …", { seed: 3 }, async (row) => { … })`.
 * Each clause is one `row.assert` with its text as in the matrix; a row without assertions fails. What cannot be executed is
 * named with `row.missing`. Worlds, workers and browsers made through the row are stopped after it, and the invariants are
 * checked on every world it made or shared. A row on which a guard rests keeps its body in `rows/`, where guards.test.ts
 * plays it again without the guard.
 */
import { it } from "vitest"
import type { FleetOptions } from "#test/fleet/Fleet.ts"
import { type Guard, switchesOf } from "#test/harness/guards.ts"
import { type Browser, openBrowser } from "#test/harness/openBrowser.ts"
import { forkWorker, type WorkerProcess, type WorkerProcessStart } from "#test/harness/spawnWorker.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import type { TestDatabase } from "#test/setup/Database.ts"
import { baselineOf, checkInvariants, checkLeftovers } from "./invariants.ts"
import { baseSeed, isChosen, type RowResult } from "./matrix.ts"

declare module "vitest" {
  interface TaskMeta {
    fault?: RowResult
  }
}

type WorldOptions = Omit<FleetOptions, "dir"> & { readonly certificates?: boolean }

export interface Row {
  readonly id: string
  /** For fleets and everything else that is left to chance. */
  readonly seed: number
  /** The next number of this row's own sequence, from 0 to 1. */
  readonly random: () => number
  /** The guards that are off while this row is played. */
  readonly guardsOff: ReadonlyArray<Guard>
  readonly assert: (clause: string, check: () => unknown) => Promise<void>
  readonly missing: (clause: string, why: string) => void
  /** A world of its own; `database` where the row takes its PostgreSQL down. */
  readonly world: (options?: WorldOptions, database?: TestDatabase) => Promise<World>
  /** A world that several rows share: checked after this row, stopped by whoever made it. */
  readonly share: (world: World) => Promise<World>
  /** A worker process, ended after the row. Resolves when it is ready. */
  readonly worker: (world: World, options?: WorkerProcessStart) => Promise<WorkerProcess>
  /** The same without waiting: a standby is not ready before it takes over. */
  readonly standby: (world: World, options?: WorkerProcessStart) => WorkerProcess
  readonly web: (world: World) => Promise<Web>
  /** A browser whose view must equal the database when the row is over. */
  readonly browser: (world: World, web: Web) => Promise<Browser>
  /** Undone last first, before the worlds are stopped. */
  readonly after: (undo: () => unknown) => void
  /** For rows whose point is that this invariant cannot hold here; say why. */
  readonly except: (invariant: string, why: string) => void
}

export type RowBody = (row: Row) => Promise<void>

export interface RowOptions {
  /** Its place in the row's own sequence of chances; FAULT_SEED is added to it. */
  readonly seed?: number
  readonly timeout?: number
}

/** Mulberry32: small, and the same everywhere. */
const sequence = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Played {
  readonly result: RowResult
  /** Why the row is red. */
  readonly error: unknown
}

/** Plays a row once, with these guards taken away. */
export const playRow = async (
  id: string,
  title: string,
  seed: number,
  body: RowBody,
  guardsOff: ReadonlyArray<Guard> = []
): Promise<Played> => {
  const began = performance.now()
  const assertions: Array<{ text: string; ms: number }> = []
  const missing: Array<{ text: string; why: string }> = []
  const excepted = new Set<string>()
  const watched = new Map<World, Awaited<ReturnType<typeof baselineOf>>>()
  const own: Array<World> = []
  const workers: Array<WorkerProcess> = []
  const browsers: Array<{ readonly world: World; readonly browser: Browser }> = []
  const undos: Array<() => unknown> = []
  const switches = switchesOf(guardsOff)

  const watch = async (world: World): Promise<World> => {
    for (const statement of switches.statements) await world.query(statement)
    watched.set(world, await baselineOf(world))
    return world
  }
  const standby: Row["standby"] = (world, options = {}) => {
    const worker = forkWorker(world, {
      ...options,
      withoutGuards: [...switches.withoutGuards, ...(options.withoutGuards ?? [])],
      guardsOff: [...switches.guardsOff, ...(options.guardsOff ?? [])],
      ...(switches.mutation === undefined ? {} : { mutation: switches.mutation })
    })
    workers.push(worker)
    return worker
  }
  const row: Row = {
    id,
    seed,
    guardsOff,
    random: sequence(seed),
    assert: async (text, check) => {
      const at = performance.now()
      try {
        await check()
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`${id}: "${text}" does not hold: ${why}`, { cause })
      }
      assertions.push({ text, ms: Math.round(performance.now() - at) })
    },
    missing: (text, why) => void missing.push({ text, why }),
    except: (invariant, why) => {
      excepted.add(invariant)
      missing.push({ text: `Invariant ${invariant}`, why })
    },
    world: async (options = {}, database) => {
      const made = await makeWorld({ seed, ...options }, database)
      const world: World = {
        ...made,
        startWorker: (start = {}) =>
          made.startWorker({
            ...start,
            withoutGuards: [...switches.withoutGuards, ...(start.withoutGuards ?? [])],
            client: {
              ...start.client,
              ...(switches.guardsOff.length > 0 ? { guardsOff: new Set(switches.guardsOff) } : {})
            },
            ...(switches.mutation === undefined ? {} : { mutation: switches.mutation })
          })
      }
      own.push(world)
      return watch(world)
    },
    share: watch,
    standby,
    worker: async (world, options) => {
      const worker = standby(world, options)
      await worker.ready
      return worker
    },
    web: async (world) => {
      const web = await startWeb(world)
      undos.push(web.stop)
      return web
    },
    browser: async (world, web) => {
      const browser = await openBrowser(web)
      browsers.push({ world, browser })
      undos.push(browser.close)
      return browser
    },
    after: (undo) => void undos.push(undo)
  }

  let error: unknown
  const attempt = async (step: () => unknown): Promise<void> => {
    try {
      await step()
    } catch (cause) {
      error ??= cause
    }
  }
  await attempt(async () => {
    await body(row)
    if (assertions.length === 0) throw new Error(`${id} asserts nothing.`)
    for (const world of watched.keys()) {
      const views = browsers.filter((one) => one.world === world).map((one) => one.browser)
      const found = await checkInvariants(world, { browsers: views, except: excepted })
      if (found.length > 0) throw new Error(`${id} breaks invariants:\n${found.join("\n")}`)
    }
  })
  for (const undo of undos.toReversed()) await attempt(undo)
  for (const worker of workers) await attempt(worker.kill)
  if (error === undefined) {
    await attempt(async () => {
      for (const [world, baseline] of watched) {
        const left = await checkLeftovers(world, baseline, excepted)
        if (left.length > 0) throw new Error(`${id} leaves something behind:\n${left.join("\n")}`)
      }
    })
  }
  for (const world of own) await attempt(world.stop)
  const seconds = Math.round((performance.now() - began) / 10) / 100
  return { result: { row: id, title, seed, assertions, missing, seconds, ok: error === undefined }, error }
}

/** A number of its own for each row, so that two rows do not see the same chances. */
const ownSeed = (id: string): number => Number(id.slice(1))

export const faultRow = (id: string, title: string, options: RowOptions, body: RowBody): void => {
  const seed = (options.seed ?? ownSeed(id)) + baseSeed
  const timeout = options.timeout ?? 180_000
  it.runIf(isChosen(id))(`${id} ${title} (seed ${seed})`, { timeout }, async ({ task }) => {
    const { result, error } = await playRow(id, title, seed, body)
    task.meta.fault = result
    if (error !== undefined) throw error
  })
}
