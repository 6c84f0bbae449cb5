/** The worker process: polls the hosts and carries out the jobs. It has no inbound listener. */
import "effect/schema/SchemaJITCompiler/enable"
import * as Effect from "effect/Effect"
import { loadConfig } from "./Config.ts"
import { dataFiles } from "./DataDirectory.ts"
import { worker } from "./layers.ts"
import { logLayer } from "./Log.ts"
import { programVersion } from "./programVersion.ts"
import { runProcess } from "./runProcess.ts"
import { announceReady, superviseMe } from "./supervised.ts"

superviseMe()
const config = loadConfig()

const { databaseUrl } = config
if (databaseUrl === undefined) throw new Error("The worker needs PATCH_MANAGER__DATABASE__URL; npm start sets it.")

runProcess(
  "worker",
  config.log,
  worker(
    {
      databaseUrl,
      secretsDir: dataFiles(config.dataDir).secrets,
      agentConcurrency: config.agent.concurrency,
      settings: {
        healthIntervalMillis: config.poll.healthSeconds * 1000,
        patchIntervalMillis: config.poll.patchesSeconds * 1000,
        programVersion
      }
    },
    Effect.sync(announceReady)
  ).pipe(Effect.provide(logLayer("worker", config.log)))
)
