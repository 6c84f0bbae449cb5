/** Writes docs/limits.md from core/Limits.ts: `node docs/renderLimits.ts`. */
import { writeFileSync } from "node:fs"
import { limits, rateLimits, type Rate, type RouteClass } from "../core/Limits.ts"

const classWords: Readonly<Record<RouteClass, string>> = {
  sign_in: "signing in, every step and way of it",
  enrolment_request: "an agent asks to join",
  enrolment_status: "an agent asks how its request stands",
  pki: "revoked certificates and package sources, for agents",
  read: "reading: GET, pages and files",
  change: "everything else, and procedures over `/rpc`",
  expensive: "paths that end in `/plan`, `/simulate`, `/export` or `/verify`"
}

const limitWords: Readonly<Record<keyof typeof limits, readonly [what: string, beyond: string]>> = {
  remembered: ["addresses or accounts that a rate limit remembers", "the longest unseen is forgotten"],
  expensive_running: ["expensive requests of one account worked on at once", "the next ones wait"],
  expensive_waiting: ["expensive requests of one account that wait", "429 with `Retry-After`"],
  connections: ["connections to one web process", "closed at once"],
  connections_per_address: [
    "connections from one address, or one /64, that is no declared proxy; multiplied with the rates",
    "closed at once"
  ],
  tls_handshake_seconds: ["seconds for a TLS handshake", "closed"],
  headers_seconds: ["seconds for a request's headers", "408, closed"],
  request_seconds: ["seconds for a whole request", "408, closed"],
  keep_alive_seconds: ["seconds a connection may be idle", "closed"],
  header_bytes: ["bytes of a request's headers", "431, closed"],
  body_bytes: ["bytes of a body", "413"],
  hosts_body_bytes: ["bytes of a body that lists hosts: jobs, plans, a group's hosts, `/rpc`", "413"],
  json_depth: ["levels of a JSON body", "400"],
  socket_message_bytes: ["bytes of a message on a live socket", "closed with 1009"]
}

const rate = (given: Rate | null): string =>
  given === null ? "" : `${given.per_minute} a minute, ${given.burst} at once`

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const line = (cells: ReadonlyArray<string>, fill = " "): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(" | ")} |`
  const [head = [], ...body] = rows
  return [
    line(head),
    line(
      head.map(() => ""),
      "-"
    ),
    ...body.map((row) => line(row))
  ].join("\n")
}

export const limitsDocument = (): string => `# Limits

What one web process takes, and what happens beyond it. The numbers are those of \`core/Limits.ts\`, and the tests try them from there.

## Rates

Buckets of tokens in the memory of each web process: so many requests at once, refilled steadily. A /64 of IPv6 is one address. Beyond it
the answer is 429 with \`Retry-After\` and \`details.retry_after_seconds\`. A restart forgets them; nobody is ever shut out for good.
\`PATCH_MANAGER__WEB__RATE_FACTOR\` multiplies all of them.

${table([
  ["Kind", "One address", "One account", "What it is"],
  ...(Object.keys(rateLimits) as ReadonlyArray<RouteClass>).map((kind) => [
    `\`${kind}\``,
    rate(rateLimits[kind].address),
    rate(rateLimits[kind].account),
    classWords[kind]
  ])
])}

## Sizes and times

${table([
  ["Limit", "Value", "What it is", "Beyond it"],
  ...(Object.keys(limits) as ReadonlyArray<keyof typeof limits>).map((name) => [
    `\`${name}\``,
    String(limits[name]),
    ...limitWords[name]
  ])
])}
`

if (import.meta.main) writeFileSync(new URL("./limits.md", import.meta.url), limitsDocument())
