/** The web process' whole inside: everything behind one HTTPS port. */
import "effect/schema/SchemaJITCompiler/enable"
import type { Socket } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { limits } from "#core/Limits.ts"
import { Api } from "#http/api/Api.ts"
import { AllowList } from "./AllowList.ts"
import { AppSocket } from "./AppSocket.ts"
import * as Audit from "./Audit.ts"
import * as Auth from "./Auth.ts"
import * as Authentication from "./Authentication.ts"
import { ColumnCipher } from "./ColumnCipher.ts"
import * as Console from "./Console.ts"
import { countConnections } from "./countConnections.ts"
import { Credentials } from "./Credentials.ts"
import * as Discovery from "./Discovery.ts"
import * as Docs from "./Docs.ts"
import * as Enrolments from "./Enrolments.ts"
import * as Factors from "./Factors.ts"
import * as Groups from "./Groups.ts"
import * as Holds from "./Holds.ts"
import * as Hosts from "./Hosts.ts"
import * as Jobs from "./Jobs.ts"
import * as Live from "./Live.ts"
import { LiveFeed } from "./LiveFeed.ts"
import * as MethodNotAllowed from "./methodNotAllowed.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import * as Network from "./Network.ts"
import { RateLimiter } from "./RateLimiter.ts"
import * as RequestContext from "./RequestContext.ts"
import * as RequestErrors from "./RequestErrors.ts"
import * as Rpc from "./Rpc.ts"
import * as Settings from "./Settings.ts"
import { SigningKey } from "./SigningKey.ts"
import { SeenPlans } from "./SeenPlans.ts"
import * as Sessions from "./Sessions.ts"
import { OidcClient } from "./OidcClient.ts"
import * as Sso from "./Sso.ts"
import * as SsoSignIn from "./SsoSignIn.ts"
import * as Status from "./Status.ts"
import { tlsServer } from "./tlsServer.ts"
import * as Tokens from "./Tokens.ts"
import * as Users from "./Users.ts"
import * as Windows from "./Windows.ts"
import { WebConfig, type WebSettings } from "./WebSettings.ts"

const DRAIN_DEADLINE = "10 seconds"

const policies = Layer.mergeAll(
  Settings.layer,
  Groups.layer,
  Groups.serviceChecks,
  Holds.layer,
  Windows.layer,
  Users.layer
)

const groups = Layer.mergeAll(
  policies,
  Audit.layer,
  Auth.layer,
  Discovery.layer,
  Enrolments.layer,
  Factors.layer,
  Hosts.layer,
  Jobs.layer,
  Live.group,
  Network.layer,
  Sessions.layer,
  Tokens.layer,
  Sso.layer,
  SsoSignIn.layer,
  Status.layer
)

/** All routes, without a server: what tests drive in memory. */
export const routes = Layer.mergeAll(
  HttpApiBuilder.layer(Api).pipe(Layer.provide(groups), Layer.provide([Authentication.layer, RequestErrors.layer])),
  Live.routes,
  Rpc.layer,
  Docs.layer,
  Console.layer,
  MethodNotAllowed.layer,
  RequestContext.layer
)

/** What the routes share, made once. */
export const services = Layer.mergeAll(
  Credentials.layer,
  PasswordHasher.layer,
  ColumnCipher.layer,
  LiveFeed.layer,
  SeenPlans.layer,
  OidcClient.layer
).pipe(Layer.provideMerge(SigningKey.layer))

export const config = (settings: WebSettings): Layer.Layer<WebConfig> =>
  Layer.succeed(WebConfig, WebConfig.make(settings))

/** Closes sockets at once on shutdown: a browser that is connected would hold the server open until the deadline. */
const drain = Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => AppSocket.closeAll())))

/** Serves until its scope closes, then lets requests in flight finish. Needs the database and the authority. */
export const layer = (settings: WebSettings) =>
  drain.pipe(
    Layer.provideMerge(HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })),
    Layer.provide(services),
    Layer.provideMerge(
      Layer.unwrap(
        Effect.gen(function* () {
          const { isProxy, takes } = yield* AllowList
          const config = yield* WebConfig
          const hasRoom = countConnections(config.connectionsPerAddress ?? limits.connections_per_address)
          const admit = (socket: Socket): boolean =>
            takes(socket) && (isProxy(socket.remoteAddress ?? "") || hasRoom(socket))
          return NodeHttpServer.layer(() => tlsServer(config, admit), {
            host: settings.bind,
            port: settings.port,
            gracefulShutdownTimeout: DRAIN_DEADLINE,
            websocket: { WebSocket: AppSocket, maxPayload: limits.socket_message_bytes, perMessageDeflate: false }
          })
        })
      )
    ),
    Layer.provide([AllowList.layer, RateLimiter.layer]),
    Layer.provide(config(settings))
  )
