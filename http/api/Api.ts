/** The whole REST contract. Unknown keys in a body are refused, and all faults are named at once. */
import { HttpApi, OpenApi } from "effect/http-api"
import { Auth } from "./Auth.ts"
import { RequestErrors } from "./Authentication.ts"
import { Hosts } from "./Hosts.ts"
import { Jobs } from "./Jobs.ts"
import { Live } from "./Live.ts"
import { Status } from "./Status.ts"

export class Api extends HttpApi.make("patch-manager")
  .add(Auth, Hosts, Jobs, Live, Status)
  .middleware(RequestErrors)
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", onExcessProperty: "error" })
  .annotate(HttpApi.QueryParseOptions, { errors: "all" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Linux Patch Manager",
      version: "1",
      description: "Every error is an ErrorEnvelope. Every answer carries X-Request-Id."
    })
  ) {}
