/** Fresh proof: asked for once, the act done again, and nothing done where nobody proves who he is. */
import { beforeEach, describe, expect, it, vi } from "vitest"

beforeEach(() => vi.resetModules())

const load = async () => {
  const { ApiError } = await import("#ui/api/ApiError.ts")
  const { stepUpAsked, withStepUp } = await import("#ui/api/stepUp.ts")
  const wanted = new ApiError({
    status: 403,
    code: "reauth_required",
    message: "Prove it.",
    request_id: "r",
    details: {}
  })
  /** Refused until somebody proved who he is. */
  const makeAct = () => {
    const state = { proven: false, runs: 0 }
    const act = (): Promise<string> => {
      state.runs++
      return state.proven ? Promise.resolve("done") : Promise.reject(wanted)
    }
    return { state, act }
  }
  return { ApiError, stepUpAsked, withStepUp, makeAct }
}

describe("withStepUp", () => {
  it("asks nobody for an act that goes through, and hands on any other refusal", async () => {
    const { ApiError, stepUpAsked, withStepUp } = await load()
    expect(await withStepUp(() => Promise.resolve(1))).toBe(1)
    const other = new ApiError({ status: 403, code: "forbidden", message: "No.", request_id: null, details: {} })
    await expect(withStepUp(() => Promise.reject(other))).rejects.toBe(other)
    expect(stepUpAsked()).toBeNull()
  })

  it("does the act again once it is proven, with one dialog for all that wait", async () => {
    const { makeAct, stepUpAsked, withStepUp } = await load()
    const [a, b] = [makeAct(), makeAct()]
    const both = Promise.all([withStepUp(a.act), withStepUp(b.act)])
    await vi.waitFor(() => expect(stepUpAsked()).not.toBeNull())
    a.state.proven = true
    b.state.proven = true
    stepUpAsked()?.proven()
    expect(await both).toEqual(["done", "done"])
    expect([a.state.runs, b.state.runs]).toEqual([2, 2])
    expect(stepUpAsked()).toBeNull()
  })

  it("changes nothing where it is given up, and asks anew the next time", async () => {
    const { makeAct, stepUpAsked, withStepUp } = await load()
    const { act, state } = makeAct()
    const refused = expect(withStepUp(act)).rejects.toMatchObject({ code: "reauth_required", request_id: "r" })
    await vi.waitFor(() => expect(stepUpAsked()).not.toBeNull())
    stepUpAsked()?.given_up()
    await refused
    expect(state.runs).toBe(1)
    const again = withStepUp(act)
    await vi.waitFor(() => expect(stepUpAsked()).not.toBeNull())
    state.proven = true
    stepUpAsked()?.proven()
    expect(await again).toBe("done")
  })
})
