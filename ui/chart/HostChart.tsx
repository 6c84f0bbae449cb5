/**
 * A host's state as a picture of its machine: the link lane above, the work lane below. It mirrors what the server
 * says and never runs the machine. Read it with the timeline, which says the same as a list.
 */
import { createMemo, For, type JSX } from "solid-js"
import styles from "./chart.module.css"
import { describe } from "./describe.ts"
import { LaneDrawing } from "./LaneDrawing.tsx"
import { layout } from "./layout.ts"
import { marksOf, type Moment } from "./marks.ts"

export interface HostChartProps extends Moment {
  /** Shows a moment gone by: nothing moves. */
  readonly past: boolean
  /** Other words under a state's name, by state id, such as what makes this host degraded. */
  readonly words?: Readonly<Record<string, string>> | undefined
  /** Up to three lines right of the link lane, such as the last poll. */
  readonly facts?: ReadonlyArray<readonly [name: string, value: string]> | undefined
  readonly linkHead?: JSX.Element
  readonly workHead?: JSX.Element
}

const factsAt = { name: 960, value: 1036, y: 50, step: 20 }

export const HostChart = (props: HostChartProps): JSX.Element => {
  const moment = (): Moment => ({ link: props.link, work: props.work, last: props.last })
  const wide = createMemo(() => marksOf(layout.wide, moment()))
  const phone = createMemo(() => marksOf(layout.phone, moment()))
  const words = () => props.words ?? {}
  return (
    <div class={styles["chart"]}>
      {props.linkHead}
      <div class={`${styles["scroll"]} ${styles["linkLane"]}`} tabindex="0" role="group" aria-label="Chart of the link">
        <LaneDrawing
          drawing={layout.wide}
          lane="link"
          marks={wide()}
          label={describe(layout.wide, "link", wide(), props)}
          still={props.past}
          words={words()}
          class={styles["wide"]}
        >
          <For each={props.facts ?? []}>
            {([name, value], index) => (
              <>
                <text class={styles["words"]} x={factsAt.name} y={factsAt.y + index() * factsAt.step}>
                  {name}
                </text>
                <text class={styles["chipName"]} x={factsAt.value} y={factsAt.y + index() * factsAt.step}>
                  {value}
                </text>
              </>
            )}
          </For>
        </LaneDrawing>
      </div>
      {props.workHead}
      <div class={styles["scroll"]} tabindex="0" role="group" aria-label="Chart of the work">
        <LaneDrawing
          drawing={layout.wide}
          lane="work"
          marks={wide()}
          label={describe(layout.wide, "work", wide(), props)}
          still={props.past}
          words={words()}
          class={styles["wide"]}
        />
        <LaneDrawing
          drawing={layout.phone}
          lane="work"
          marks={phone()}
          label={describe(layout.wide, "work", wide(), props)}
          still={props.past}
          words={words()}
          class={styles["phone"]}
        />
      </div>
    </div>
  )
}
