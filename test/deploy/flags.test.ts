import { assert, describe, it } from "@effect/vitest"
import { parseFlags } from "#deploy/start/flags.ts"

const refusal = (...args: ReadonlyArray<string>): string => {
  try {
    parseFlags(args)
    return ""
  } catch (error) {
    return error instanceof Error ? error.message : ""
  }
}

describe("the flags of npm start", () => {
  it("become settings", () => {
    assert.deepEqual(parseFlags(["--port", "9000", "--data-dir=x", "--fleet", "0", "--dev"]), {
      help: false,
      settings: { "web.port": "9000", data_dir: "x", "fleet.hosts": "0" }
    })
  })

  it("are asked for again when npm has swallowed the option and passed on its value", () => {
    assert.match(refusal("9000"), /write: npm start -- --port 9000$/)
  })

  it("are refused by name when there is no such flag or a value is missing", () => {
    assert.match(refusal("--prot", "9000"), /Unknown option '--prot'.*--help/)
    assert.match(refusal("--port"), /--port.*--help/)
  })
})
