import type { IncomingMessage } from "node:http"
import { health, jobDetail, jobList, onePackage, packages, patches, service, systemInfo } from "./readRoutes.ts"
import type { StandIn } from "./StandIn.ts"
import type { Answer } from "./Wire.ts"
import { plain } from "./Wire.ts"
import { apply, changeOne, deleteJob, install, reboot, rollback } from "./writeRoutes.ts"

const methodNotAllowed = plain(405, "", { allow: "GET, POST, PUT, DELETE" })

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Answers one call as the host's generation would. */
export const route = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  const method = request.method ?? "GET"
  const url = new URL(request.url ?? "/", "https://agent")
  if (url.pathname === "/health") return method === "GET" ? health(host) : plain(405, "", { allow: "GET" })
  if (!url.pathname.startsWith("/api/v1")) return plain(404, "")
  const [, , , resource = "", id, action, extra] = url.pathname.split("/").map(decode)
  if (extra !== undefined) return methodNotAllowed
  switch (`${method} ${resource}`) {
    case "GET health":
      return id === undefined ? health(host) : methodNotAllowed
    case "GET system":
      if (id === "info" && action === undefined) return systemInfo(host)
      return id === "services" && action !== undefined && host.profile.services
        ? service(host, action)
        : methodNotAllowed
    case "POST system":
      return id === "reboot" && action === undefined ? reboot(host, request) : methodNotAllowed
    case "GET packages":
      if (action !== undefined) return methodNotAllowed
      return id === undefined ? packages(host, url.searchParams) : onePackage(host, id)
    case "POST packages":
      return id === undefined ? install(host, request) : methodNotAllowed
    case "PUT packages":
    case "DELETE packages":
      return id === undefined || action !== undefined ? methodNotAllowed : changeOne(host, method, id)
    case "GET patches":
      return id === undefined ? patches(host) : methodNotAllowed
    case "POST patches":
      return id === "apply" && action === undefined ? apply(host, request) : methodNotAllowed
    case "GET jobs":
      if (id === undefined) return jobList(host, url.searchParams)
      return action === undefined ? jobDetail(host, id) : methodNotAllowed
    case "DELETE jobs":
      return id === undefined || action !== undefined ? methodNotAllowed : deleteJob(host, id)
    case "POST jobs":
      return id !== undefined && action === "rollback" ? rollback(host, id) : methodNotAllowed
    default:
      return methodNotAllowed
  }
}
