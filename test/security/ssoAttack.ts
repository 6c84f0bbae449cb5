/** Comes back from a hostile provider with forged tokens, and says what must have become of it. */
import { expect } from "vitest"
import type { SsoWorld } from "#test/http/ssoWorld.ts"
import type { Forge, HostileProvider } from "./hostileProvider.ts"

export interface Provider {
  readonly id: string
  readonly redirect_uri: string
}

/** The only group the provider's mapping knows. */
export const readers = [{ provider_group: "readers", role: "auditor", group_ids: [] }]

export const honest = ({ claims, sign }: Forge) => sign(claims)

export const without = (claims: object, name: string) =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))

export const ssoAttack = (world: SsoWorld) => {
  /** Accounts, identities and sessions there are. */
  const counted = async () =>
    (
      await world.web.rows(
        "select (select count(*) from users) as users, (select count(*) from external_identities) as identities, (select count(*) from sessions) as sessions"
      )
    )[0]

  const mustCreateNothing = async (attempt: () => Promise<unknown>): Promise<void> => {
    const before = await counted()
    await attempt()
    expect(await counted()).toEqual(before)
  }

  /** Comes back to the manager with a code that buys what `forge` makes. */
  const comeWith = async (
    at: Provider,
    from: HostileProvider,
    forge: (honest: Forge) => Promise<string> | string,
    more: Record<string, string> = {}
  ) => {
    const began = await world.start(at.id)
    const asked = new URL(began.location).searchParams
    const code = await from.issue(asked.get("nonce") ?? "", forge)
    const back = new URL(at.redirect_uri)
    back.search = new URLSearchParams({ code, state: asked.get("state") ?? "", ...more }).toString()
    return world.comeBack(back, began.cookie)
  }

  const mustRefuse = (
    answer: { readonly headers: Readonly<Record<string, unknown>>; readonly status: number },
    code: string
  ) => {
    expect([answer.status, answer.headers["location"]]).toEqual([303, `/sign-in?sso_error=${code}`])
    expect(String(answer.headers["set-cookie"])).not.toContain("__Host-refresh")
  }

  /** Signed in, by whatever the token says. */
  const mustEnter = async (answer: Awaited<ReturnType<typeof comeWith>>) => {
    expect([answer.status, answer.headers["location"]]).toEqual([303, "/"])
    const cookie = [answer.headers["set-cookie"] ?? []].flat().find((line) => line.startsWith("__Host-refresh="))
    const signed = await world.refresh(String(cookie).split(";")[0] ?? "")
    return { username: signed.at("user.username"), role: signed.at("user.role"), token: signed.at("access_token") }
  }

  return { mustCreateNothing, comeWith, mustRefuse, mustEnter }
}

export type SsoAttack = ReturnType<typeof ssoAttack>
