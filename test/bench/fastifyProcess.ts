/** What a plain server needs for the same answer: fastify, pg, the same statement, no sign-in, no log. */
import Fastify from "fastify"
import pg from "pg"
import { answerQuestions, usageOfThisProcess } from "./Child.ts"

export interface FastifyStart {
  readonly url: string
  readonly port: number
  readonly key: string
  readonly cert: string
  readonly text: string
  readonly values: ReadonlyArray<unknown>
}

const { url, port, key, cert, text, values } = JSON.parse(process.argv[2] ?? "{}") as FastifyStart
const pool = new pg.Pool({ connectionString: url, max: 16 })
const app = Fastify({ https: { key, cert, minVersion: "TLSv1.3" } })

interface Row {
  readonly items: string
  readonly total: number
}

app.get("/api/v1/hosts", async (_request, reply) => {
  const { rows } = await pool.query<Row>(text, [...values])
  const [row] = rows
  return await reply.type("application/json").send(`{"items":${row?.items},"total":${row?.total},"next_cursor":null}`)
})
await app.listen({ host: "127.0.0.1", port })
answerQuestions("ready", usageOfThisProcess)
process.on("SIGTERM", () => void Promise.all([app.close(), pool.end()]).then(() => process.exit(0)))
