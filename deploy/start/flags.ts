import { parseArgs } from "node:util"
import type { SettingName, SettingTexts } from "../Config.ts"
import { StartError } from "./StartError.ts"

const settings = {
  port: "web.port",
  bind: "web.bind",
  "public-url": "web.public_url",
  "agent-port": "agent.port",
  "data-dir": "data_dir",
  fleet: "fleet.hosts",
  "database-url": "database.url",
  "database-owner-url": "database.owner_url",
  "database-web-url": "database.web_url",
  "database-worker-url": "database.worker_url"
} as const satisfies Record<string, SettingName>

type Flag = keyof typeof settings

const flags = Object.keys(settings) as ReadonlyArray<Flag>

export const help = `npm start -- [options]

  --port N            port of the console and the API (8443)
  --bind ADDRESS      address to listen on (127.0.0.1)
  --public-url URL    the address people use (https://localhost:PORT)
  --agent-port N      port of the agents (12443)
  --data-dir FOLDER   where everything is kept (.data)
  --database-url URL  a PostgreSQL of your own instead of the one that comes along; its role may create roles
  --database-owner-url URL, --database-web-url URL, --database-worker-url URL
                      the same with a role each, made beforehand
  --single-role       one role for everything, where no other can be had
  --fleet N           how many stand-in hosts to run on loopback (25, 0 for none)
  --dev               run from the TypeScript sources
  --help              this text

Each has a variable too, such as PATCH_MANAGER__WEB__PORT; docs/README.md lists them.`

/** What was asked for on the command line. */
export interface Asked {
  readonly help: boolean
  readonly settings: SettingTexts
}

const options = {
  ...(Object.fromEntries(flags.map((flag) => [flag, { type: "string" }])) as Record<Flag, { type: "string" }>),
  "single-role": { type: "boolean" },
  dev: { type: "boolean" },
  help: { type: "boolean", short: "h" }
} as const

const parse = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true })
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split(". ")[0] ?? error.message) : String(error)
    throw new StartError({ message: `${reason}: npm start -- --help shows what there is.` })
  }
}

/** Reads the flags, throwing `StartError`. */
export const parseFlags = (args: ReadonlyArray<string>): Asked => {
  const { values, positionals } = parse(args)
  if (positionals.length > 0) {
    // npm keeps "--port" of "npm start --port 9000" to itself and passes on the number alone.
    throw new StartError({
      message: `"${positionals.join(" ")}" is not understood. Options come after two dashes: write: npm start -- --port 9000`
    })
  }
  const given: SettingTexts = {}
  for (const flag of flags) {
    const text = values[flag]
    if (typeof text === "string") given[settings[flag]] = text
  }
  if (values["single-role"] === true) given["database.single_role"] = "true"
  return { help: values.help === true, settings: given }
}
