/** The whole REST contract. Unknown keys in a body are refused, and all faults are named at once. */
import { HttpApi, OpenApi } from "effect/http-api"
import { Audit } from "./Audit.ts"
import { Auth } from "./Auth.ts"
import { FactorGroup } from "./Factors.ts"
import { RequestErrors } from "./Authentication.ts"
import { Groups, ServiceChecks } from "./Groups.ts"
import { Holds } from "./Holds.ts"
import { Discovery } from "./Discovery.ts"
import { Enrolments } from "./Enrolments.ts"
import { Hosts } from "./Hosts.ts"
import { Jobs } from "./Jobs.ts"
import { Live } from "./Live.ts"
import { Network } from "./Network.ts"
import { Sessions } from "./Sessions.ts"
import { Settings } from "./Settings.ts"
import { SsoProviders, SsoSignIn } from "./Sso.ts"
import { Status } from "./Status.ts"
import { Tokens } from "./Tokens.ts"
import { Users } from "./Users.ts"
import { Windows } from "./Windows.ts"

export class Api extends HttpApi.make("patch-manager")
  .add(FactorGroup)
  .add(Auth, Discovery, Enrolments, Hosts, Jobs, Live, Status)
  .add(Network, Settings)
  .add(Groups, Holds, ServiceChecks)
  .add(Windows)
  .add(Audit)
  .add(Sessions, Tokens)
  .add(SsoProviders, SsoSignIn)
  .add(Users)
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
