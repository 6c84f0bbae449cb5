/** The console's files. Pages fall back to index.html, unknown API addresses never do. */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRespondable, HttpServerResponse, HttpStaticServer } from "effect/http"
import { WebConfig } from "./WebSettings.ts"

const nothing = HttpServerResponse.empty({ status: 404 })

export const layer = Layer.mergeAll(
  HttpRouter.add("*", "/api/*", nothing),
  HttpRouter.add("*", "/status/*", nothing),
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const { consoleDirectory: root } = yield* WebConfig
      const pages = yield* HttpStaticServer.make({ root, spa: true, cacheControl: "no-cache" })
      const assets = yield* HttpStaticServer.make({
        root: `${root}/assets`,
        cacheControl: "public, max-age=31536000, immutable"
      })
      yield* router.add("GET", "/*", Effect.catch(pages, HttpServerRespondable.toResponse))
      yield* router.prefixed("/assets").add("GET", "/*", Effect.catch(assets, HttpServerRespondable.toResponse))
    })
  )
)
