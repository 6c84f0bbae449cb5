/** What the schemas refuse, as 422 with each fault at its place, or 400 where the body is no JSON at all. */
import { Effect, SchemaIssue } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { BadRequest, Unprocessable } from "#core/Errors.ts"
import { RequestErrors } from "#http/api/Authentication.ts"

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

export const layer = HttpApiMiddleware.layerSchemaErrorTransform(RequestErrors, (error) => {
  // An answer of ours that does not fit its schema is our fault, so it stays a defect.
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error)
  const { issue } = error.cause
  // Every other refusal of a body has the payload's union at its root.
  if (error.kind === "Payload" && issue._tag === "InvalidValue") {
    return Effect.fail(new BadRequest({ code: "malformed_json", message: "The body is not valid JSON." }))
  }
  const fields = formatIssues(issue).issues.map(({ path = [], message }) => ({
    path: [error.kind.toLowerCase(), ...path.map((part) => String(typeof part === "object" ? part.key : part))].join(
      "."
    ),
    message
  }))
  return Effect.fail(
    new Unprocessable({ message: "The request was refused: look at the fields named.", details: { fields } })
  )
})
