/** The contract as a page to read: made from OpenAPI once, without any script. */
import { OpenApi } from "effect/http-api"
import { Predicate } from "effect"
import { Api } from "#http/api/Api.ts"

const escape = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

const spec = OpenApi.fromApi(Api)
const methods = ["get", "post", "put", "patch", "delete"] as const

const nameOf = (schema: unknown): string => {
  if (!Predicate.isObject(schema)) return "any"
  if (Predicate.hasProperty(schema, "$ref")) {
    const name = String(schema.$ref).split("/").at(-1) ?? ""
    return `<a href="#schema-${escape(name)}">${escape(name)}</a>`
  }
  if (Predicate.hasProperty(schema, "anyOf") && Array.isArray(schema.anyOf)) return schema.anyOf.map(nameOf).join(" | ")
  if (Predicate.hasProperty(schema, "enum") && Array.isArray(schema.enum)) {
    return schema.enum.map((value) => `<code>${escape(JSON.stringify(value))}</code>`).join(" | ")
  }
  if (Predicate.hasProperty(schema, "type")) {
    if (schema.type === "array") return `list of ${nameOf(Predicate.hasProperty(schema, "items") ? schema.items : {})}`
    if (schema.type === "object" && Predicate.hasProperty(schema, "properties")) return fieldsOf(schema)
    return escape(String(schema.type))
  }
  return "any"
}

const fieldsOf = (schema: object): string => {
  if (!Predicate.hasProperty(schema, "properties") || !Predicate.isObject(schema.properties)) return nameOf(schema)
  const required = new Set(
    Predicate.hasProperty(schema, "required") && Array.isArray(schema.required) ? schema.required : []
  )
  const rows = Object.entries(schema.properties).map(
    ([name, field]) =>
      `<tr><th scope="row"><code>${escape(name)}</code></th><td>${required.has(name) ? "" : "optional, "}${nameOf(field)}</td></tr>`
  )
  return `<table>${rows.join("")}</table>`
}

const operation = (path: string, method: string, found: OpenApi.OpenAPISpecOperation): string => {
  const parameters = found.parameters.map(
    (one) =>
      `<tr><th scope="row"><code>${escape(one.name)}</code></th><td>${one.in}${one.required ? "" : ", optional"}, ${nameOf(one.schema)}</td></tr>`
  )
  const body = Object.values(found.requestBody?.content ?? {}).map((media) => nameOf(media.schema))
  const responses = Object.entries(found.responses).map(([status, response]) => {
    const content = Object.entries(response.content ?? {}).map(([type, media]) =>
      type === "application/json" ? nameOf(media.schema) : escape(type)
    )
    return `<tr><th scope="row">${status}</th><td>${content.join(", ") || "no body"}</td></tr>`
  })
  return `<details><summary><b class="${method}">${method.toUpperCase()}</b> <code>${escape(path)}</code></summary>
${parameters.length ? `<h4>Parameters</h4><table>${parameters.join("")}</table>` : ""}
${body.length ? `<h4>Body</h4>${body.join("")}` : ""}
<h4>Answers</h4><table>${responses.join("")}</table></details>`
}

const groups = (): string =>
  spec.tags
    .map(({ name }) => {
      const operations = Object.entries(spec.paths).flatMap(([path, item]) =>
        methods.flatMap((method) => {
          const found = item[method]
          return found?.tags.includes(name) ? [operation(path, method, found)] : []
        })
      )
      return `<section><h2>${escape(name)}</h2>${operations.join("\n")}</section>`
    })
    .join("\n")

const schemas = (): string =>
  Object.entries(spec.components.schemas)
    .map(
      ([name, schema]) =>
        `<article id="schema-${escape(name)}"><h3>${escape(name)}</h3>${Predicate.isObject(schema) ? fieldsOf(schema) : ""}</article>`
    )
    .join("\n")

export const docsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(spec.info.title)} API</title>
<link rel="stylesheet" href="/api/docs/docs.css">
</head>
<body>
<h1>${escape(spec.info.title)} API</h1>
<p>Send an access token or an API token as <code>Authorization: Bearer …</code>. Every POST that creates takes an
<code>Idempotency-Key</code>, every edit an <code>If-Match</code> with the version read. Errors are an
<a href="#schema-ErrorEnvelope">ErrorEnvelope</a>. The same as data: <code>GET /api/v1/openapi.json</code>.</p>
${groups()}
<h2>Schemas</h2>
${schemas()}
</body>
</html>
`

export const docsStyle = `:root { color-scheme: light dark }
body { font: 14px/20px system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 20px 24px }
code { font: 12px/16px ui-monospace, monospace }
details { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: 8px 0 }
summary { cursor: pointer }
summary b { display: inline-block; min-width: 4.5em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: 4px 8px }
th { width: 14rem; font-weight: 500 }
td table { margin: 0 }
h4 { margin: 12px 0 4px }
`
