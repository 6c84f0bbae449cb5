/** Why a request was refused, for the foot of a form: the server's sentence and what it says of each field. */
import { ApiError } from "../api/ApiError.ts"

export const problemWords = (cause: unknown): string => {
  if (!(cause instanceof ApiError)) return String(cause)
  const fields = cause.details.fields ?? []
  return fields.length === 0 ? cause.message : fields.map(({ message }) => message).join(" ")
}
