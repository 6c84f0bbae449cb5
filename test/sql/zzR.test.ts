import { Effect } from "effect"
import { it, expect } from "vitest"
import { applyGrants, ungoverned } from "#sql/applyGrants.ts"
import { asOwner, ensureRoles } from "#sql/ensureRoles.ts"
import { makeTestDatabase } from "#test/setup/Database.ts"
it("x", async () => {
  const db = await makeTestDatabase()
  const roles = { web: "patch_manager_web", worker: "patch_manager_worker" }
  console.log(await asOwner(db.url, Effect.gen(function* () { yield* ensureRoles(roles); yield* applyGrants(roles); yield* applyGrants(roles); return yield* ungoverned })))
  await db.drop()
})
