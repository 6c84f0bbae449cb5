/** Where a request came from, for the audit log. Forwarding headers are not believed. */
import { Option } from "effect"
import type { HttpServerRequest } from "effect/http"

export const sourceAddress = (request: HttpServerRequest.HttpServerRequest): string =>
  Option.match(request.remoteAddress, {
    onNone: () => "0.0.0.0",
    onSome: (address) => address.replace(/^::ffff:(?=[0-9]+\.)/, "").replace(/%.*$/, "")
  })

/** At most 200 characters, printable. */
export const userAgent = (request: HttpServerRequest.HttpServerRequest): string =>
  (request.headers["user-agent"] ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 200)
