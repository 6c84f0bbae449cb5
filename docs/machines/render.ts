/** Writes the documents of the machines from their definitions: `node docs/machines/render.ts`. A test compares them. */
import { writeFileSync } from "node:fs"
import { eventWords } from "#core/HostEventWords.ts"
import { type Chart, type ChartEdge, chartOf, type ChartNode } from "#machines/chart.ts"
import { hostMachine, machineVersion } from "#machines/hostMachine.ts"
import type { HostDelay } from "#machines/hostSetup.ts"
import { jobMachine, jobMachineVersion, productionJobTuning } from "#machines/jobMachine.ts"
import { productionTuning } from "#machines/Tuning.ts"

const length = (ms: number): string => {
  const minutes = ms / 60_000
  if (minutes < 1) return `${ms / 1000} s`
  return minutes < 120 ? `${minutes} min` : `${minutes / 60} h`
}

const { backoff_ms } = productionTuning

/** How long each named delay is in production. */
const hostDelays: Record<HostDelay, string> = {
  call: length(productionTuning.call_ms),
  send: length(productionTuning.send_ms),
  run: `${length(productionTuning.run_ms)}; ${length(productionTuning.rollback_ms)} for a rollback by the agent`,
  verify: length(productionTuning.verify_ms),
  leave: `the delay asked for and ${length(productionTuning.leave_ms)}`,
  away: `the rest of the delay asked for and ${length(productionTuning.away_ms)}`,
  calm: length(productionTuning.calm_ms),
  settle: length(productionTuning.settle_ms),
  quiet: `${length(productionTuning.quiet_ms)}, doubled each round up to ${length(productionTuning.quiet_max_ms)}`,
  backoff: `${backoff_ms.map(length).join(", then ")}; ${length(productionTuning.second_try_ms)} after a job that failed; the agent's Retry-After up to ${length(productionTuning.retry_after_max_ms)}`
}

const jobDelays: Record<string, string> = {
  start: length(productionJobTuning.start_ms),
  recount: length(productionJobTuning.recount_ms),
  remind: length(productionJobTuning.remind_ms)
}

const cell = (text: string): string => text.replaceAll("|", "\\|")

/** Columns as wide as their widest cell, so that the formatter has nothing to change. */
const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const all = [head, ...rows].map((row) => row.map(cell))
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? "").length)))
  const line = (row: ReadonlyArray<string>): string =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`
  const [first = "", ...rest] = all.map(line)
  return [first, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest].join("\n")
}

const childrenOf = (chart: Chart, parent: string | null): ReadonlyArray<ChartNode> =>
  chart.nodes.filter((node) => node.parent === parent)

const box = (node: ChartNode): string => {
  const label = `"${node.key}<br/><small>${node.words}</small>"`
  return node.kind === "final" ? `s_${node.id}([${label}])` : `s_${node.id}[${label}]`
}

const drawn = (chart: Chart, node: ChartNode, indent: string): ReadonlyArray<string> => {
  const inner = childrenOf(chart, node.id)
  if (inner.length === 0) return [`${indent}${box(node)}`]
  return [
    `${indent}subgraph s_${node.id}["${node.key}"]`,
    ...inner.flatMap((child) => drawn(chart, child, `${indent}  `)),
    `${indent}end`
  ]
}

const arrow = ({ from, to, label, stub }: ChartEdge): string =>
  `  s_${from} ${stub ? "-.->" : "-->"}|"${label}"| s_${to}`

const below = (chart: Chart, id: string): ReadonlyArray<string> => [
  id,
  ...childrenOf(chart, id).flatMap((child) => below(chart, child.id))
]

/** One lane with the ways inside it; ways that are rare are dotted. */
const diagram = (chart: Chart, lane: ReadonlyArray<ChartNode>): string => {
  const inside = new Set(lane.flatMap((node) => below(chart, node.id)))
  return [
    "```mermaid",
    "flowchart LR",
    ...lane.flatMap((node) => drawn(chart, node, "  ")),
    ...chart.edges.filter(({ from, to }) => inside.has(from) && inside.has(to)).map(arrow),
    "```"
  ].join("\n")
}

/** Drawn as a frame only: the whole of the host, and its two regions. */
const isFrame = (chart: Chart, node: ChartNode): boolean =>
  node.kind === "parallel" || chart.nodes.some(({ id, kind }) => id === node.parent && kind === "parallel")

const spelling = (node: ChartNode): string => node.path.filter((part) => part !== "managed").join(".")

const states = (chart: Chart, delays: Readonly<Record<string, string>>): string =>
  table(
    ["State", "Words", "Longest stay", "Then"],
    chart.nodes
      .filter((node) => !isFrame(chart, node))
      .map((node) => [
        `\`${spelling(node)}\``,
        node.words,
        node.limit === null ? (node.kind === "group" ? "" : "at rest") : (delays[node.limit.delay] ?? ""),
        node.limit?.next ?? ""
      ])
  )

const ways = (chart: Chart): string => {
  const names = new Map(chart.nodes.map((node) => [node.id, node.key]))
  return table(
    ["From", "To", "Way", "On", "Usual"],
    chart.edges.map(({ from, to, label, events, stub }) => [
      `\`${names.get(from) ?? from}\``,
      `\`${names.get(to) ?? to}\``,
      label,
      events.map((event) => (event === "" ? "at once" : eventWords(event))).join("; "),
      stub ? "rare" : "usual"
    ])
  )
}

const note = "<!-- Generated by docs/machines/render.ts. Change the machine, then run it. -->"

/** docs/machines/host.md */
export const hostDocument = (): string => {
  const chart = chartOf(hostMachine)
  const lane = (id: string): ReadonlyArray<ChartNode> => chart.nodes.filter((node) => node.id === id)
  return `${note}

# The host machine

Version ${machineVersion}. Two facts at the same time: whether the host answers (\`link\`) and what is being done on it (\`work\`).
[Architecture](../architecture.md) says how the worker runs it, the [user guide](../user-guide.md#what-the-states-mean) what to
do in each state. Dotted ways are rare.

## Link

${diagram(chart, lane("link"))}

## Work

${diagram(chart, [...lane("work"), ...lane("retired")])}

## States

A state that is not at rest is left at the latest when its longest stay is over. A state without a limit of its own stands
under that of its group.

${states(chart, hostDelays)}

## Ways

Several events and conditions may lead the same way; what only notes something is left out.

${ways(chart)}
`
}

/** docs/machines/job.md */
export const jobDocument = (): string => {
  const chart = chartOf(jobMachine)
  return `${note}

# The job machine

Version ${jobMachineVersion}. A job hands its orders to the hosts when they may start and ends when the last of them has ended. It counts
rows and never events. Whether a host may start is decided in core/Dispatch.ts; passing to the next wave and stopping at the error
limit are steps of this machine that stay in the same state. The dotted ways are for a host that moves again after the end, as one
that comes back after it was given up.

${diagram(chart, childrenOf(chart, null))}

## States

${states(chart, jobDelays)}

## Ways

${ways(chart)}
`
}

if (import.meta.main) {
  writeFileSync(new URL("host.md", import.meta.url), hostDocument())
  writeFileSync(new URL("job.md", import.meta.url), jobDocument())
}
