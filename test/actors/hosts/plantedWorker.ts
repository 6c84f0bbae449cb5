/** A worker in this process whose machine or settings a test chooses, and whose end the test can see. */
import { Effect, Exit, Fiber, Logger, Redacted } from "effect"
import { HostSteps } from "#actors/hosts/HostSteps.ts"
import type { WorkerSettingsShape } from "#actors/hosts/WorkerSettings.ts"
import { worker } from "#deploy/layers.ts"
import { makeHostMachine } from "#machines/hostMachine.ts"
import { type HostStep, makeHostStep } from "#machines/step.ts"
import { quickClient, quickSettings, quickTuning, type World } from "#test/harness/World.ts"

export interface PlantedWorker {
  /** How it ended: null while it runs, else the reason. */
  readonly ended: () => string | null
  readonly stop: () => Promise<void>
}

export const quickStep: HostStep = makeHostStep(makeHostMachine({ tuning: quickTuning }))

export const startPlanted = async (
  world: Pick<World, "url" | "secretsDir">,
  options: { readonly step?: HostStep; readonly settings?: Partial<WorkerSettingsShape> } = {}
): Promise<PlantedWorker> => {
  let ended: string | null = null
  let fiber: Fiber.Fiber<unknown, unknown> | undefined
  await new Promise<void>((resolve, reject) => {
    fiber = Effect.runFork(
      worker(
        {
          databaseUrl: Redacted.make(world.url),
          secretsDir: world.secretsDir,
          agentConcurrency: 64,
          settings: { ...quickSettings, ...options.settings },
          client: quickClient
        },
        Effect.sync(resolve)
      ).pipe(Effect.provideService(HostSteps, options.step ?? quickStep), Effect.provide(Logger.layer([])))
    )
    fiber.addObserver((exit) => {
      ended = Exit.isFailure(exit) ? String(exit.cause) : "success"
      reject(new Error(ended))
    })
  })
  return {
    ended: () => ended,
    stop: async () => {
      if (fiber !== undefined) await Effect.runPromise(Fiber.interrupt(fiber))
    }
  }
}
