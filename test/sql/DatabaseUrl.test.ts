import { Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"

const shown = (text: string) => {
  const { password, ...rest } = parseDatabaseUrl(text)
  return password === undefined
    ? rest
    : { ...rest, password: Redacted.isRedacted(password) ? Redacted.value(password) : password }
}

describe("the database's address", () => {
  it.each([
    [
      "postgresql://pm:secret@db.example.org:6432/patches",
      { host: "db.example.org", port: 6432, database: "patches", username: "pm", password: "secret" }
    ],
    ["postgres://localhost/patches", { host: "localhost", port: 5432, database: "patches" }],
    [
      "postgresql://p%40m:s%2Fe%3Ac@db.example.org/my%20db",
      { host: "db.example.org", port: 5432, database: "my db", username: "p@m", password: "s/e:c" }
    ],
    [
      "postgresql://pm@db.example.org/patches?sslmode=require",
      { host: "db.example.org", port: 5432, database: "patches", username: "pm", ssl: true }
    ],
    [
      "postgresql:///patches?host=/run/postgresql&user=pm",
      { path: "/run/postgresql/.s.PGSQL.5432", database: "patches", username: "pm" }
    ],
    [
      "postgresql:///patches?host=%2Fvar%2Flib%2Fmy%20pg&user=pm&port=5433",
      { path: "/var/lib/my pg/.s.PGSQL.5433", database: "patches", username: "pm" }
    ],
    [
      "postgresql://pm:secret@/patches?host=/run/postgresql",
      { path: "/run/postgresql/.s.PGSQL.5432", database: "patches", username: "pm", password: "secret" }
    ],
    [
      "postgresql:///?host=/run/postgresql&dbname=patches&user=pm&password=secret",
      { path: "/run/postgresql/.s.PGSQL.5432", database: "patches", username: "pm", password: "secret" }
    ]
  ])("%s", (text, expected) => {
    expect(shown(text)).toEqual(expected)
  })

  it("keeps the password out of what is printed", () => {
    expect(JSON.stringify(parseDatabaseUrl("postgresql://pm:topsecret@localhost/patches"))).not.toContain("topsecret")
  })

  it.each(["mysql://localhost/patches", "localhost/patches", ""])("refuses %j, naming the flaw", (text) => {
    expect(() => parseDatabaseUrl(text)).toThrow(/has to begin with postgresql:\/\//)
  })

  it("refuses what is no address at all", () => {
    expect(() => parseDatabaseUrl("postgresql://localhost:notaport/patches")).toThrow(TypeError)
    expect(() => parseDatabaseUrl("postgresql://")).toThrow(TypeError)
  })

  it("never takes the stand-in of an empty host for a host", () => {
    // Without a place it has to be refused, or to mean this machine; it must not be looked up in DNS as `socket`.
    expect(() => {
      const { host } = parseDatabaseUrl("postgresql:///patches")
      if (host === "socket") throw new TypeError("an invented host")
    }).not.toThrow(/invented/)
  })
})
