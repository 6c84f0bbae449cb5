/** The shape of `layout.json`: the machine's nodes and edges with their places, in units of the drawing. */
import type { ChartEdge, ChartNode } from "#machines/chart.ts"

export type Lane = "link" | "work"

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** `lane` encloses a whole drawing and is not drawn itself. */
export type Form = "card" | "chip" | "frame" | "lane"

export interface PlacedNode extends ChartNode {
  readonly lane: Lane
  readonly form: Form
  readonly box: Box
}

export interface PlacedLabel {
  readonly lines: ReadonlyArray<string>
  readonly x: number
  /** Baseline of the first line. */
  readonly y: number
  readonly anchor: "start" | "middle" | "end"
}

export interface RoutedEdge extends ChartEdge {
  readonly lane: Lane
  /** Path data; it leaves gaps at crossings and under its own label. */
  readonly line: string
  readonly head: { readonly x: number; readonly y: number; readonly turn: number }
  readonly text: PlacedLabel | null
  /** Drawn as an arrow at its node that does not reach the other. */
  readonly short: boolean
}

export interface Drawing {
  readonly size: Readonly<Record<Lane, { readonly width: number; readonly height: number }>>
  readonly nodes: ReadonlyArray<PlacedNode>
  readonly edges: ReadonlyArray<RoutedEdge>
}

export interface Layout {
  /** Of the definition this was computed from. */
  readonly definition: string
  readonly wide: Drawing
  /** Folded and without returns: read it with the timeline. */
  readonly phone: Drawing
}
