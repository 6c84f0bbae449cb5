/**
 * Splits a migration into statements, since the extended protocol takes one at a time.
 * Knows quotes, dollar quotes and both kinds of comment.
 */
export const splitStatements = (text: string): Array<string> => {
  const pattern = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$[A-Za-z_]*\$)[\s\S]*?\1|;/g
  const statements: Array<string> = []
  let start = 0
  for (const match of text.matchAll(pattern)) {
    if (match[0] !== ";") continue
    statements.push(text.slice(start, match.index))
    start = match.index + 1
  }
  statements.push(text.slice(start))
  return statements.map((statement) => statement.trim()).filter((statement) => withoutComments(statement) !== "")
}

const withoutComments = (statement: string): string => statement.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, "").trim()
