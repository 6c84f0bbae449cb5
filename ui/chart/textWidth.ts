/** Shares of the font size, rounded up. */
const widths: ReadonlyArray<readonly [RegExp, number]> = [
  [/[ijlI ]/, 0.27],
  [/[.:,;'|!]/, 0.32],
  [/t/, 0.35],
  [/[fr()/]/, 0.39],
  [/-/, 0.47],
  [/[acekszvxy]/, 0.59],
  [/[bdghnopqu]/, 0.62],
  [/[mMw]/, 0.89],
  [/[W…%]/, 1],
  [/[A-Z=]/, 0.76]
]
const otherWidth = 0.67

/** Of one line in the console's font at medium weight, with a little to spare; a build has no browser to measure with. */
export const textWidth = (text: string, fontSize: number): number =>
  [...text].reduce((sum, letter) => sum + (widths.find(([kind]) => kind.test(letter))?.[1] ?? otherWidth) * fontSize, 0)

/** The text up to the last word that fits, with an ellipsis where something is left out. */
export const fitText = (text: string, room: number, fontSize: number): string => {
  if (textWidth(text, fontSize) <= room) return text
  const words = text.split(" ")
  const kept = words.findLastIndex(
    (_, count) => count > 0 && textWidth(`${words.slice(0, count).join(" ")}…`, fontSize) <= room
  )
  const start = words.slice(0, Math.max(kept, 1)).join(" ")
  return `${start.replace(/[,:]$/, "")}…`
}
