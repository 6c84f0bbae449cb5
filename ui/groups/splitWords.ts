/** Words that were typed one a line, or with commas or spaces between them; each once. */
export const splitWords = (text: string): ReadonlyArray<string> => [
  ...new Set(text.split(/[\s,;]+/).filter((word) => word !== ""))
]
