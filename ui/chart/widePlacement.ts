/**
 * Places of the wide drawing. The normal way runs left to right in five columns; what went wrong stands beneath the
 * state it comes from. Edges that are not routed here become stubs at their node.
 */
import type { NodePlace, Placement, Point, Route } from "./Placement.ts"

const card = (lane: "link" | "work", x: number, y: number): NodePlace => ({ lane, form: "card", at: [x, y, 136, 48] })
const chip = (x: number, y: number, width: number): NodePlace => ({ lane: "work", form: "chip", at: [x, y, width, 28] })
const frame = (x: number, y: number, width: number, height: number): NodePlace => ({
  lane: "work",
  form: "frame",
  at: [x, y, width, height]
})

const width = 1172
const linkSize = { width, height: 126 }
const workSize = { width, height: 464 }

/** A line whose label stands in a gap of it, on the horizontal part at `y`. */
const within = (x: number, y: number, ...points: ReadonlyArray<Point>): Route => ({
  points,
  label: { at: [x, y + 4], anchor: "middle", break: true }
})

const beside = (anchor: "start" | "middle" | "end", x: number, y: number, ...points: ReadonlyArray<Point>): Route => ({
  points,
  label: { at: [x, y], anchor }
})

const linkRoutes: Readonly<Record<string, Route>> = {
  "unknown-healthy": beside("middle", 195, 59, [140, 66], [254, 66]),
  "healthy-degraded": beside("middle", 445, 51, [390, 58], [504, 58]),
  "degraded-healthy": beside("middle", 449, 91, [504, 76], [390, 76]),
  "degraded-unreachable": beside("middle", 695, 51, [640, 58], [754, 58]),
  "unreachable-degraded": beside("middle", 699, 91, [754, 76], [640, 76]),
  "unknown-unreachable": within(447, 8, [60, 42], [60, 8], [822, 8], [822, 42]),
  "unknown-degraded": within(322, 24, [84, 42], [84, 24], [572, 24], [572, 42]),
  "unreachable-healthy": within(572, 104, [802, 90], [802, 104], [342, 104], [342, 90]),
  "healthy-unreachable": within(572, 118, [302, 90], [302, 118], [842, 118], [842, 90])
}

const workRoutes: Readonly<Record<string, Route>> = {
  "idle-preparing": beside("middle", 188, 101, [140, 108], [254, 108]),
  "preparing-dispatching": beside("middle", 445, 101, [390, 108], [504, 108]),
  "dispatching-running": beside("middle", 695, 101, [640, 108], [754, 108]),
  "running-verifying": beside("middle", 945, 101, [890, 108], [1004, 108]),
  "verifying-idle": within(572, 8, [1042, 84], [1042, 8], [72, 8], [72, 84]),

  "preparing-retrying": beside("end", 341, 182, [346, 132], [346, 204]),
  "retrying-preparing": {
    points: [
      [266, 204],
      [266, 132]
    ],
    label: { at: [261, 170], anchor: "end", lines: ["retry now,", "wait is over"] }
  },
  "dispatching-settling": beside("end", 543, 184, [548, 132], [548, 204]),
  "running-retrying": within(466, 154, [768, 132], [768, 154], [376, 154], [376, 204]),
  "running-settling": within(692, 168, [788, 132], [788, 168], [600, 168], [600, 204]),
  "settling-running": within(744, 182, [690, 204], [690, 182], [808, 182], [808, 132]),
  "asking-running": within(785, 196, [724, 234], [742, 234], [742, 196], [828, 196], [828, 132]),
  "running-failed": beside("end", 871, 162, [876, 132], [876, 282]),
  "verifying-failed": within(957, 154, [1018, 132], [1018, 154], [890, 154], [890, 282]),
  "verifying-settling": within(
    984,
    168,
    [1038, 132],
    [1038, 168],
    [930, 168],
    [930, 210],
    [747, 210],
    [747, 262],
    [732, 262]
  ),
  "verifying-leaving": beside("start", 1081, 172, [1076, 132], [1076, 210]),

  "leaving-settling": within(813, 224, [972, 224], [756, 224], [756, 274], [732, 274]),
  "leaving-away": beside("start", 1116, 286, [1090, 230], [1112, 230], [1112, 310], [1090, 310]),
  "leaving-returning": beside("middle", 1121, 213, [1090, 218], [1149, 218], [1149, 364], [1090, 364]),
  "away-returning": beside("start", 1087, 346, [1082, 328], [1082, 356]),
  "away-failed": beside("middle", 936.5, 329, [972, 314], [902, 314]),
  "returning-verifying": beside("middle", 1116, 389, [1090, 376], [1164, 376], [1164, 108], [1140, 108]),

  "quiet-asking": beside("middle", 569, 231, [508, 236], [634, 236]),
  "asking-quiet": beside("middle", 573, 256, [634, 244], [508, 244]),
  "asking-inspecting": within(604, 296, [690, 248], [690, 296], [518, 296]),
  "inspecting-quiet": beside("start", 445, 269, [440, 282], [440, 248]),
  "inspecting-retrying": within(330, 290, [418, 290], [230, 290], [230, 228], [254, 228]),
  "inspecting-idle": within(290, 304, [418, 304], [72, 304], [72, 132]),
  "settling-unresolved": beside("start", 705, 386, [700, 370], [700, 394]),
  "failed-preparing": within(500, 454, [784, 330], [784, 454], [192, 454], [192, 122], [254, 122]),

  "work-retired": beside("start", 4, 374, [20, 379], [20, 394])
}

export const widePlacement: Placement = {
  size: { link: linkSize, work: workSize },
  fontSize: 11.25,
  partial: false,
  nodes: {
    managed: { lane: "work", form: "lane", at: [0, 0, width, workSize.height] },
    link: { lane: "link", form: "lane", at: [0, 0, width, linkSize.height] },
    work: { lane: "work", form: "lane", at: [0, 0, width, workSize.height] },
    unknown: card("link", 4, 42),
    healthy: card("link", 254, 42),
    degraded: card("link", 504, 42),
    unreachable: card("link", 754, 42),
    idle: card("work", 4, 84),
    patching: frame(236, 20, 922, 122),
    preparing: card("work", 254, 84),
    dispatching: card("work", 504, 84),
    running: card("work", 754, 84),
    verifying: card("work", 1004, 84),
    retrying: card("work", 254, 204),
    settling: frame(404, 204, 328, 166),
    quiet: chip(418, 220, 90),
    asking: chip(634, 220, 90),
    inspecting: chip(418, 282, 100),
    unresolved: card("work", 632, 394),
    failed: card("work", 766, 282),
    rebooting: frame(964, 190, 192, 206),
    leaving: chip(972, 210, 118),
    away: chip(972, 300, 118),
    returning: chip(972, 356, 118),
    retired: card("work", 4, 394)
  },
  routes: { ...linkRoutes, ...workRoutes },
  stubs: {
    idle: { side: "above", at: [90, 84], room: 120 },
    preparing: { side: "above", at: [264, 84], room: 220 },
    dispatching: { side: "above", at: [514, 84], room: 220 },
    retrying: { side: "below", at: [276, 252], room: 110 },
    settling: { side: "left", at: [404, 324], room: 190 },
    inspecting: { side: "below", at: [428, 310], room: 284 },
    unresolved: { side: "left", at: [632, 412], room: 180 },
    failed: { side: "below", at: [802, 330], room: 130 },
    leaving: { side: "below", at: [982, 238], room: 110 },
    away: { side: "below", at: [982, 328], room: 80 }
  }
}
