/** The clock every age on the page is counted against; ticks once a second while somebody looks. */
import { createRoot, createSignal } from "solid-js"

const [now, setNow] = createRoot(() => createSignal(Date.now()))
export { now }

setInterval(() => {
  if (!document.hidden) setNow(Date.now())
}, 1000)
document.addEventListener("visibilitychange", () => setNow(Date.now()))
