/** One lane of the chart as a picture. Every node and edge keeps its place; only weight and colour tell what is going on. */
import { createMemo, For, Show, type JSX } from "solid-js"
import { Icon } from "../kit/Icon.tsx"
import styles from "./chart.module.css"
import { stateIcons } from "./icons.ts"
import type { Drawing, Lane, PlacedNode, RoutedEdge } from "./ChartLayout.ts"
import { colourOf, type Marks } from "./marks.ts"
import { fitText } from "./textWidth.ts"

const ringGap = 4
const iconInset = 10
const wordsFontSize = 11.25

const classes = (...names: ReadonlyArray<string | false | undefined>) => names.filter(Boolean).join(" ")

const Card = (props: { node: PlacedNode; active: boolean; words: string }): JSX.Element => {
  const box = () => props.node.box
  const chip = () => props.node.form === "chip"
  const middle = () => box().y + box().height / 2
  const shown = () => fitText(props.words, box().width - iconInset - 2, wordsFontSize)
  return (
    <g
      class={classes(styles["state"], props.active && styles["active"], props.active && styles[colourOf(props.node)])}
      data-state={props.node.id}
      data-active={props.active ? "" : undefined}
    >
      <title>{`${props.node.key}: ${props.words}`}</title>
      <Show when={props.active}>
        <rect
          class={styles["ring"]}
          x={box().x - ringGap}
          y={box().y - ringGap}
          width={box().width + 2 * ringGap}
          height={box().height + 2 * ringGap}
          rx={chip() ? 9 : 12}
        />
      </Show>
      <rect class={styles["shape"]} {...box()} rx={chip() ? 6 : 8} />
      <svg
        class={styles["icon"]}
        x={box().x + iconInset - (chip() ? 2 : 0)}
        y={chip() ? middle() - 7 : box().y + 7}
        width={chip() ? 14 : 16}
        height={chip() ? 14 : 16}
        viewBox="0 0 16 16"
      >
        <Icon name={stateIcons[props.node.id] ?? "rest"} />
      </svg>
      <text
        class={chip() ? styles["chipName"] : styles["name"]}
        x={box().x + (chip() ? 28 : 32)}
        y={chip() ? middle() + 4 : box().y + 20}
      >
        {props.node.key}
      </text>
      <Show when={!chip()}>
        <text class={styles["words"]} x={box().x + iconInset} y={box().y + 38}>
          {shown()}
        </text>
      </Show>
    </g>
  )
}

/** A state round other states; its name stands in the upper border. */
const Frame = (props: { node: PlacedNode; active: boolean }): JSX.Element => (
  <g
    class={classes(styles["frame"], props.active && styles["within"], props.active && styles[colourOf(props.node)])}
    data-state={props.node.id}
    data-active={props.active ? "" : undefined}
  >
    <rect class={styles["border"]} {...props.node.box} rx="12" />
    <text class={styles["legend"]} x={props.node.box.x + 16} y={props.node.box.y + 4}>
      {props.node.key}
    </text>
  </g>
)

const Edge = (props: { edge: RoutedEdge; weight: string; colour: string | undefined; still: boolean }): JSX.Element => (
  <g
    class={classes(
      styles["edge"],
      props.edge.short && styles["short"],
      styles[props.weight],
      props.colour !== undefined && styles[props.colour],
      props.still && styles["still"]
    )}
    data-edge={props.edge.id}
    data-weight={props.weight}
  >
    <title>{`${props.edge.from} to ${props.edge.to}: ${props.edge.label}`}</title>
    <path class={styles["line"]} d={props.edge.line} />
    <path
      class={styles["head"]}
      d="M0 0L-7 -3.6L-7 3.6Z"
      transform={`translate(${props.edge.head.x} ${props.edge.head.y}) rotate(${props.edge.head.turn})`}
    />
    <Show when={props.edge.text}>
      {(text) => (
        <text class={styles["label"]} text-anchor={text().anchor}>
          <For each={text().lines}>
            {(line, index) => (
              <tspan x={text().x} y={text().y + index() * 13}>
                {line}
              </tspan>
            )}
          </For>
        </text>
      )}
    </Show>
  </g>
)

export interface LaneProps {
  readonly drawing: Drawing
  readonly lane: Lane
  readonly marks: Marks
  readonly label: string
  readonly still: boolean
  readonly words: Readonly<Record<string, string>>
  readonly class: string | undefined
  readonly children?: JSX.Element
}

export const LaneDrawing = (props: LaneProps): JSX.Element => {
  const size = () => props.drawing.size[props.lane]
  const nodes = createMemo(() => props.drawing.nodes.filter(({ lane }) => lane === props.lane))
  const edges = createMemo(() => props.drawing.edges.filter(({ lane }) => lane === props.lane))
  const weight = (edge: RoutedEdge) =>
    props.marks.last === edge.id ? "last" : props.marks.next.has(edge.id) ? "next" : "plain"
  const inOrder = createMemo(() =>
    ["plain", "next", "last"].flatMap((wanted) => edges().filter((edge) => weight(edge) === wanted))
  )
  const colour = (edge: RoutedEdge) => {
    const target = nodes().find(({ id }) => id === edge.to)
    return props.marks.last === edge.id && target !== undefined ? colourOf(target) : undefined
  }
  const active = (node: PlacedNode) => props.marks.active.has(node.id)
  return (
    <svg
      class={classes(styles["drawing"], props.class)}
      viewBox={`0 0 ${size().width} ${size().height}`}
      role="img"
      aria-label={props.label}
    >
      <For each={nodes().filter(({ form }) => form === "frame")}>
        {(node) => <Frame node={node} active={active(node)} />}
      </For>
      <For each={inOrder()}>
        {(edge) => <Edge edge={edge} weight={weight(edge)} colour={colour(edge)} still={props.still} />}
      </For>
      <For each={nodes().filter(({ form }) => form === "card" || form === "chip")}>
        {(node) => <Card node={node} active={active(node)} words={props.words[node.id] ?? node.words} />}
      </For>
      {props.children}
    </svg>
  )
}
