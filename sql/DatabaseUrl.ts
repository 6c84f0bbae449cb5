/**
 * Connection addresses. TCP: `postgresql://user:password@host:5432/name`;
 * unix socket: `postgresql:///name?host=/path/to/directory&user=name`.
 */
import type { PgClientConfig } from "@effect/sql-pg/PgClient"
import { Redacted } from "effect"

export type DatabaseAddress = Pick<
  PgClientConfig,
  "host" | "port" | "path" | "database" | "username" | "password" | "ssl"
>

/** Throws a TypeError naming the flaw where the text is no PostgreSQL address. */
export const parseDatabaseUrl = (text: string): DatabaseAddress => {
  const schemeless = text.replace(/^postgres(ql)?:\/\//, "")
  if (schemeless === text) throw new TypeError("The database address has to begin with postgresql://")
  // The URL parser refuses an empty host for schemes it knows, so a socket address gets a stand-in host.
  const url = new URL(
    `http://${schemeless.startsWith("/") ? "socket" : ""}${schemeless}`.replace(/\/\/([^/?]*)@\//, "//$1@socket/")
  )
  const parameter = (name: string) => url.searchParams.get(name) ?? undefined
  const port = Number(parameter("port") ?? (url.port || 5432))
  const database = decodeURIComponent(url.pathname.slice(1)) || parameter("dbname")
  const username = decodeURIComponent(url.username) || parameter("user")
  const password = decodeURIComponent(url.password) || parameter("password")
  const named = parameter("host") ?? url.hostname
  // Where no host is named PostgreSQL's own clients take the usual socket of this machine.
  const host = named === "socket" && schemeless.startsWith("/") ? "/var/run/postgresql" : named
  const common = {
    ...(database ? { database } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password: Redacted.make(password) } : {})
  }
  if (host.startsWith("/")) return { ...common, path: `${host}/.s.PGSQL.${port}` }
  return { ...common, host, port, ...(parameter("sslmode") === "require" ? { ssl: true } : {}) }
}
