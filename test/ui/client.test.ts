/** The API client against a real HTTP server: one refresh however many requests need it, and errors in the server's words. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let answer: Answer
const realFetch = globalThis.fetch

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

const user = {
  id: "0198f000-0000-7000-8000-000000000001",
  username: "m.keller",
  display_name: "",
  role: "admin",
  permissions: []
}
const unauthorized = { error: { code: "unauthorized", message: "Sign in.", request_id: "01JD8K3M7Q", details: {} } }

beforeEach(async () => {
  vi.resetModules()
  server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  // A browser resolves paths against the page; Node needs the whole address.
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => realFetch(`http://127.0.0.1:${port}${path}`, init))
})

afterEach(async () => {
  vi.unstubAllGlobals()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

describe("the API client", () => {
  it("refreshes once for many requests that meet an expired token", async () => {
    let refreshes = 0
    let valid = "none"
    answer = (request, response) => {
      if (request.url === "/api/v1/auth/refresh") {
        refreshes++
        valid = `token-${refreshes}`
        json(response, 200, { status: "signed_in", access_token: valid, expires_in_seconds: 900, user })
      } else if (request.headers.authorization === `Bearer ${valid}`) json(response, 200, { ok: true })
      else json(response, 401, unauthorized)
    }
    const { getJson } = await import("#ui/api/client.ts")
    const answers = await Promise.all(Array.from({ length: 8 }, () => getJson("/api/v1/hosts")))
    expect(answers).toHaveLength(8)
    expect(refreshes).toBe(1)
    valid = "revoked"
    await getJson("/api/v1/hosts")
    expect(refreshes).toBe(2)
  })

  it("is signed out when the refresh is refused", async () => {
    answer = (_request, response) => json(response, 401, unauthorized)
    const { getJson } = await import("#ui/api/client.ts")
    const { session } = await import("#ui/api/session.ts")
    await expect(getJson("/api/v1/hosts")).rejects.toMatchObject({ status: 401, code: "unauthorized" })
    expect(session()).toEqual({ state: "signed_out", expired: false })
  })

  it("hands on the envelope with its request id and its fields", async () => {
    answer = (_request, response) =>
      json(response, 422, {
        error: {
          code: "validation_failed",
          message: "The request was refused: look at the fields named.",
          request_id: "01JD8K3M7Q",
          details: { fields: [{ path: "fqdn", message: "Expected a host name" }] }
        }
      })
    const { post } = await import("#ui/api/client.ts")
    const { ApiError } = await import("#ui/api/ApiError.ts")
    const error = await post("/api/v1/hosts").catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ status: 422, request_id: "01JD8K3M7Q" })
    expect((error as InstanceType<typeof ApiError>).field("fqdn")).toBe("Expected a host name")
  })

  it("makes a sentence of an answer without an envelope, and of none at all", async () => {
    answer = (_request, response) => {
      response.writeHead(502, { "content-type": "text/html" })
      response.end("<h1>Bad gateway</h1>")
    }
    const { getJson } = await import("#ui/api/client.ts")
    await expect(getJson("/api/v1/hosts")).rejects.toMatchObject({ status: 502, code: "http_502" })
    answer = (request) => request.socket.destroy()
    await expect(getJson("/api/v1/hosts")).rejects.toMatchObject({ status: 0, code: "no_answer" })
  })

  it("leaves out of the query what is not set", async () => {
    const { queryString } = await import("#ui/api/client.ts")
    expect(queryString({ q: undefined, status: ["failed", "unresolved"], limit: 5, cursor: null })).toBe(
      "?status=failed&status=unresolved&limit=5"
    )
    expect(queryString({})).toBe("")
  })
})
