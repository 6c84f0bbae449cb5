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
  permissions: [],
  must_change_password: false
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
    expect(session()).toEqual({ state: "signed_out", why: "none" })
  })

  it("stands where the server says that the sign-in stands, also after a reload in the middle of it", async () => {
    const owed = { status: "mfa_required", access_token: "half", expires_in_seconds: 900, factors: ["totp"] }
    answer = (request, response) => {
      if (request.url === "/api/v1/auth/refresh" || request.url === "/api/v1/auth/login") json(response, 200, owed)
      else if (request.url === "/api/v1/auth/mfa/totp" && request.headers.authorization === "Bearer half") {
        json(response, 200, { status: "signed_in", access_token: "full", expires_in_seconds: 900, user })
      } else json(response, 401, unauthorized)
    }
    const { accessToken, proveTotp, session, signIn, startSession } = await import("#ui/api/session.ts")
    await startSession()
    expect(session()).toEqual({ state: "mfa_required", factors: ["totp"] })
    await signIn("m.keller", "correct horse battery staple")
    expect(session().state).toBe("mfa_required")
    await proveTotp("123456")
    expect(session()).toEqual({ state: "signed_in", user })
    expect(accessToken()).toBe("full")
  })

  it("opens nothing to somebody whose password was made by somebody else", async () => {
    const owing = { ...user, must_change_password: true }
    answer = (_request, response) =>
      json(response, 200, { status: "signed_in", access_token: "full", expires_in_seconds: 900, user: owing })
    const { session, startSession } = await import("#ui/api/session.ts")
    await startSession()
    expect(session()).toEqual({ state: "password_change_required", user: owing })
  })

  it("gives a wrong code once, whatever the answer", async () => {
    let tries = 0
    answer = (_request, response) => {
      tries++
      json(response, 401, unauthorized)
    }
    const { proveTotp } = await import("#ui/api/session.ts")
    await expect(proveTotp("123456")).rejects.toMatchObject({ status: 401 })
    expect(tries).toBe(1)
  })

  it("asks again with the new cookie where a step-up replaced the old one", async () => {
    let refreshes = 0
    answer = (_request, response) =>
      ++refreshes === 1
        ? json(response, 401, { error: { ...unauthorized.error, code: "session_replaced" } })
        : json(response, 200, { status: "signed_in", access_token: "t", expires_in_seconds: 900, user })
    const { refresh } = await import("#ui/api/session.ts")
    expect(await refresh()).toBe(true)
    expect(refreshes).toBe(2)
  })

  it("marks one request for what somebody did, and none for what the page does by itself", async () => {
    const marks: Array<string | undefined> = []
    answer = (request, response) => {
      marks.push(request.headers["x-user-activity"] as string | undefined)
      json(response, 200, {})
    }
    const listeners = new Map<string, () => void>()
    vi.stubGlobal("addEventListener", (name: string, run: () => void) => void listeners.set(name, run))
    const { watchActivity } = await import("#ui/api/activity.ts")
    const { getJson } = await import("#ui/api/client.ts")
    watchActivity(() => undefined)
    await getJson("/api/v1/hosts")
    await getJson("/api/v1/hosts")
    listeners.get("keydown")?.()
    await getJson("/api/v1/hosts")
    await getJson("/api/v1/hosts")
    expect(marks).toEqual(["1", undefined, "1", undefined])
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
