/** A moment in a sentence of the server's: “2026-11-22 05:11 UTC”. The server does not know the reader's zone. */
export const momentWords = (at: number | string): string =>
  `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`
