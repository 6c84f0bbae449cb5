/** Places of the phone drawing: the work lane top to bottom, trouble beside it. */
import type { NodePlace, Placement, Point, Route } from "./Placement.ts"

const card = (x: number, y: number): NodePlace => ({ lane: "work", form: "card", at: [x, y, 144, 48] })
const bare = (...points: ReadonlyArray<Point>): Route => ({ points })
const down = (y: number, line: string): Route => ({
  points: [
    [82, y],
    [82, y + 32]
  ],
  label: { at: [89, y + 20], anchor: "start", lines: [line] }
})

const size = { width: 344, height: 388 }

export const phonePlacement: Placement = {
  size: { link: { width: 0, height: 0 }, work: size },
  fontSize: 12,
  partial: true,
  nodes: {
    work: { lane: "work", form: "lane", at: [0, 0, size.width, size.height] },
    idle: card(6, 6),
    patching: { lane: "work", form: "frame", at: [1, 74, 154, 308] },
    preparing: card(6, 86),
    dispatching: card(6, 166),
    running: card(6, 246),
    verifying: card(6, 326),
    unresolved: card(190, 6),
    retrying: card(190, 86),
    settling: card(190, 166),
    failed: card(190, 246),
    rebooting: card(190, 326)
  },
  routes: {
    "idle-preparing": down(54, "order"),
    "preparing-dispatching": down(134, "baseline"),
    "dispatching-running": down(214, "accepted"),
    "running-verifying": down(294, "completed"),
    "preparing-retrying": bare([150, 104], [190, 104]),
    "dispatching-settling": bare([150, 184], [190, 184]),
    "running-retrying": bare([150, 258], [165, 258], [165, 120], [190, 120]),
    "running-settling": bare([150, 268], [175, 268], [175, 200], [190, 200]),
    "running-failed": bare([150, 280], [190, 280]),
    "verifying-rebooting": bare([150, 350], [190, 350]),
    "settling-unresolved": bare([334, 190], [340, 190], [340, 30], [334, 30])
  },
  stubs: {}
}
