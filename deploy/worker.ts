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

const { singleRole, workerUrl } = config.database
const databaseUrl = workerUrl ?? (singleRole ? config.databaseUrl : undefined)
if (databaseUrl === undefined) {
  throw new Error("The worker needs PATCH_MANAGER__DATABASE__WORKER_URL; npm start sets it.")
}

runProcess(
  "worker",
  config.log,
  worker(
    {
      databaseUrl,
      databaseRoles: singleRole ? "single" : "separate",
      secretsDir: dataFiles(config.dataDir).secrets,
      checkpointFile: config.audit.checkpointFile ?? dataFiles(config.dataDir).auditCheckpoints,
      agentConcurrency: config.agent.concurrency,
      loopbackAgents: config.fleet.hosts > 0,
      settings: {
        healthIntervalMillis: config.poll.healthSeconds * 1000,
        patchIntervalMillis: config.poll.patchesSeconds * 1000,
        programVersion
      }
    },
    Effect.sync(announceReady)
  ).pipe(Effect.provide(logLayer("worker", config.log)))
)
