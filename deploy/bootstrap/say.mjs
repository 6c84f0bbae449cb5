// A closed terminal or a reader that went away (npm start | head) must not end us before the product has stopped.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)

let rewriting = false

/** Prints a line; standard output stays free for what the command itself prints. */
export const say = (text) => {
  process.stderr.write(`${rewriting ? "\r\u001b[K" : ""}${text}\n`)
  rewriting = false
}

/** Prints progress: rewritten in place on a terminal, where `rare` tells whether a line is due elsewhere. */
export const progress = (text, rare) => {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\u001b[K${text}`)
    rewriting = true
  } else if (rare) {
    process.stderr.write(`${text}\n`)
  }
}
