/** The web process as a process of its own, for tests that kill it. */
import { type ChildProcess, fork } from "node:child_process"
import { writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { projectRoot } from "#deploy/projectRoot.ts"
import { freePort, prepareWeb, signIn, type Web } from "./startWeb.ts"
import type { World } from "./World.ts"

export interface WebProcess extends Web {
  readonly publicUrl: string
  readonly child: () => ChildProcess
  readonly kill: () => Promise<string>
  /** Starts it again on the same port. */
  readonly restart: () => Promise<void>
}

/** With `beside` another one on the same database and keys, under the same public address. */
export const spawnWeb = async (world: World, beside?: WebProcess): Promise<WebProcess> => {
  const { files, console } = await prepareWeb(world)
  writeFileSync(join(world.secretsDir, "web.key.pem"), files.web.private_key_pem, { mode: 0o600 })
  writeFileSync(join(world.secretsDir, "web.pem"), files.web.certificate_pem)
  const port = await freePort()
  const publicUrl = beside?.publicUrl ?? `https://localhost:${port}`
  let child: ChildProcess
  let gone: Promise<string>
  const start = async () => {
    child = fork(join(projectRoot, "deploy", "web.ts"), {
      env: {
        PATH: process.env["PATH"],
        PATCH_MANAGER__DATA_DIR: dirname(world.secretsDir),
        PATCH_MANAGER__DATABASE__URL: world.url,
        PATCH_MANAGER__DATABASE__SINGLE_ROLE: "true",
        PATCH_MANAGER__WEB__PORT: String(port),
        PATCH_MANAGER__WEB__PUBLIC_URL: publicUrl,
        PATCH_MANAGER__WEB__CONSOLE_DIR: console,
        PATCH_MANAGER__WEB__RATE_FACTOR: "1000",
        PATCH_MANAGER__LOG__LEVEL: "warn",
        PATCH_MANAGER__LOG__FORMAT: "json"
      },
      execArgv: [],
      stdio: ["ignore", process.env["TEST_LOG"] ? "inherit" : "ignore", "inherit", "ipc"]
    })
    const ended = new Promise<string>((resolve) =>
      child.once("exit", (code, signal) => resolve(signal ?? String(code)))
    )
    gone = ended
    await Promise.race([
      new Promise<void>((resolve) => child.once("message", () => resolve())),
      ended.then((how) => Promise.reject(new Error(`The web process ended before it was ready: ${how}`)))
    ])
  }
  const kill = () => {
    child.kill("SIGKILL")
    return gone
  }
  await start()
  return {
    ...(await signIn(world, port, files.ca.certificate_pem, publicUrl)),
    publicUrl,
    child: () => child,
    kill,
    restart: start,
    stop: async () => {
      await kill()
    }
  }
}
