import { withRole } from "#deploy/DatabaseUrl.ts"
import { processRoles } from "#deploy/postgres/cluster.ts"

/** For a server that asks for one; the one that comes along proves callers by the kernel. */
export const rolePassword = "only for tests"

/** The addresses of the two processes' roles on a test database, which have their rights from the run's template. */
export const roleUrls = (url: string) => ({
  web: withRole(url, processRoles.web, rolePassword),
  worker: withRole(url, processRoles.worker, rolePassword)
})
