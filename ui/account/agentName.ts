/** Browser and system in words, as the browser names itself. */
const systems: ReadonlyArray<readonly [RegExp, string]> = [
  [/iPhone|iPad/, "iPhone or iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "Mac"],
  [/Linux|CrOS/, "Linux"]
]
const browsers: ReadonlyArray<readonly [RegExp, string]> = [
  [/Edg\//, "Edge"],
  [/Firefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"]
]

export const agentName = (userAgent: string): string => {
  const find = (all: typeof systems): string | undefined => all.find(([pattern]) => pattern.test(userAgent))?.[1]
  const words = [find(browsers), find(systems)].filter((word) => word !== undefined)
  return words.length === 0 ? "Unknown browser" : words.join(" on ")
}
