/** The computed layout, checked in; a check compares it with the machine. */
import data from "./layout.json"
import type { Layout } from "./ChartLayout.ts"

export const layout = data as unknown as Layout
