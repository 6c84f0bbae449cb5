/** How the places of a drawing are written down, before they meet the machine's definition. */
import type { Form, Lane } from "./ChartLayout.ts"

export type Point = readonly [x: number, y: number]

export interface NodePlace {
  readonly lane: Lane
  readonly form: Form
  readonly at: readonly [x: number, y: number, width: number, height: number]
}

export interface Route {
  readonly points: ReadonlyArray<Point>
  /** Baseline start, middle or end of the first line; `break` stands in a gap of its own line. */
  readonly label?: {
    readonly at: Point
    readonly anchor: "start" | "middle" | "end"
    readonly break?: boolean
    readonly lines?: ReadonlyArray<string>
  }
}

/** Where a node's stubs hang: a tree above or below it, or single arrows out of its left side, which `room` wide text follows. */
export interface StubPlace {
  readonly side: "above" | "below" | "left"
  /** Of the tree's stem, or of the first arrow. */
  readonly at: Point
  readonly room: number
}

export interface Placement {
  readonly size: Readonly<Record<Lane, { readonly width: number; readonly height: number }>>
  readonly fontSize: number
  readonly nodes: Readonly<Record<string, NodePlace>>
  readonly routes: Readonly<Record<string, Route>>
  readonly stubs: Readonly<Record<string, StubPlace>>
  /** Draw only what has a place. */
  readonly partial: boolean
}
