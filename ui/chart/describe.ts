import type { Drawing, Lane } from "./ChartLayout.ts"
import type { Marks, Moment } from "./marks.ts"

const laneNames: Readonly<Record<Lane, string>> = { link: "Link", work: "Work" }

const keyOf = (spelling: string) => spelling.split(".").at(-1) ?? spelling

/** What the picture of a lane says, in words: what is active, how it came to be and what may follow. */
export const describe = (
  drawing: Drawing,
  lane: Lane,
  marks: Marks,
  { last, words }: Pick<Moment, "last"> & { readonly words?: Readonly<Record<string, string>> | undefined }
): string => {
  const active = drawing.nodes.filter((node) => node.lane === lane && node.form !== "lane" && marks.active.has(node.id))
  const leaf = active.at(-1)
  const next = drawing.edges.filter((edge) => edge.lane === lane && marks.next.has(edge.id)).map(({ to }) => to)
  return [
    leaf === undefined
      ? `${laneNames[lane]}: nothing is active.`
      : `${laneNames[lane]}: ${active.map(({ key }) => key).join(", ")} is active: ${words?.[leaf.id] ?? leaf.words}.`,
    ...(last?.region === lane ? [`Last transition ${keyOf(last.from)} to ${keyOf(last.to)}.`] : []),
    ...(next.length === 0 ? [] : [`Possible next: ${[...new Set(next)].join(", ")}.`])
  ].join(" ")
}
