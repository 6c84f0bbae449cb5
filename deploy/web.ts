/** The web process: REST, RPC, live sockets and the console behind one HTTPS port. It never talks to an agent. */
import "effect/schema/SchemaJITCompiler/enable"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { limits, rateLimits, widened } from "#core/Limits.ts"
import { loadConfig } from "./Config.ts"
import { dataFiles } from "./DataDirectory.ts"
import { web } from "./layers.ts"
import { logLayer } from "./Log.ts"
import { prepareRoles } from "./prepareRoles.ts"
import { runProcess } from "./runProcess.ts"
import { announceReady, superviseMe } from "./supervised.ts"

superviseMe()
const config = loadConfig()
const files = dataFiles(config.dataDir)
const { singleRole, webUrl } = config.database
const databaseUrl = webUrl ?? (singleRole ? config.databaseUrl : undefined)
if (databaseUrl === undefined) {
  throw new Error("The web process needs PATCH_MANAGER__DATABASE__WEB_URL; npm start sets it.")
}
// As a service of its own it brings the database up to date itself, and forgets how.
if (config.database.ownerUrl !== undefined) await prepareRoles(config)

runProcess(
  "web",
  config.log,
  web(
    {
      databaseUrl,
      databaseRoles: singleRole ? "single" : "separate",
      secretsDir: files.secrets,
      settings: {
        bind: config.web.bind,
        port: config.web.port,
        publicUrl: config.web.publicUrl,
        tls: {
          key: readFileSync(join(files.secrets, "web.key.pem"), "utf8"),
          cert: readFileSync(join(files.secrets, "web.pem"), "utf8")
        },
        consoleDirectory: config.web.consoleDir,
        jwtKeyFile: files.jwtKey,
        managerAddress: null,
        securityTargetDays: 14,
        standInFleet: config.fleet.hosts > 0,
        rates: widened(rateLimits, config.web.rateFactor),
        connectionsPerAddress: limits.connections_per_address * config.web.rateFactor
      }
    },
    Effect.sync(announceReady)
  ).pipe(Effect.provide(logLayer("web", config.log)))
)
