/** Writes docs/openapi.json from the contract: `node docs/renderOpenapi.ts`. A test compares it. */
import { writeFileSync } from "node:fs"
import { OpenApi } from "effect/http-api"
import { Api } from "#http/api/Api.ts"

/** The contract as the manager serves it at /api/v1/openapi.json. */
export const openapiDocument = (): string => `${JSON.stringify(OpenApi.fromApi(Api), null, 2)}\n`

if (import.meta.main) writeFileSync(new URL("openapi.json", import.meta.url), openapiDocument())
