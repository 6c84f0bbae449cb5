/** The console's icons, drawn on a 16 px grid with the line of the text around them. Hidden from screen readers: a word stands beside each. */
import type { JSX } from "solid-js"

const shapes = {
  check: () => (
    <>
      <path d="M3.5 8.5l3 3 6-7" />
    </>
  ),
  warning: () => (
    <>
      <path d="M8 2.5l6 11H2z" />
      <path d="M8 7v3M8 11.8v.1" />
    </>
  ),
  close: () => (
    <>
      <path d="M4 4l8 8M12 4l-8 8" />
    </>
  ),
  failed: () => (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4" />
    </>
  ),
  sync: () => (
    <>
      <path d="M13.5 8a5.5 5.5 0 0 1-10 3.2M2.5 8a5.5 5.5 0 0 1 10-3.2" />
      <path d="M12.8 2v3h-3M3.2 14v-3h3" />
    </>
  ),
  power: () => (
    <>
      <path d="M8 2v5.5" />
      <path d="M4.8 4.2a5.2 5.2 0 1 0 6.4 0" />
    </>
  ),
  clock: () => (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 4.8V8l2.2 1.6" />
    </>
  ),
  lost: () => (
    <>
      <circle cx="8" cy="8" r="5.8" stroke-dasharray="2.4 2.2" />
    </>
  ),
  dots: () => (
    <>
      <path d="M3.5 8h.1M8 8h.1M12.5 8h.1" stroke-width="2.4" />
    </>
  ),
  unknown: () => (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M6.3 6.4a1.8 1.8 0 1 1 2.4 1.7c-.5.2-.7.5-.7 1M8 11.3v.1" />
    </>
  ),
  minus: () => (
    <>
      <path d="M4 8h8" />
    </>
  ),
  search: () => (
    <>
      <circle cx="7" cy="7" r="4.5" />
      <path d="M10.4 10.4L14 14" />
    </>
  ),
  right: () => (
    <>
      <path d="M6 3.5L10.5 8 6 12.5" />
    </>
  ),
  down: () => (
    <>
      <path d="M3.5 6L8 10.5 12.5 6" />
    </>
  ),
  sortDown: () => (
    <>
      <path d="M8 3v10M4.5 9.5L8 13l3.5-3.5" />
    </>
  ),
  arrow: () => (
    <>
      <path d="M2.5 8h11M9.5 4l4 4-4 4" />
    </>
  ),
  dashboard: () => (
    <>
      <rect x="2" y="2" width="5" height="6" rx="1" />
      <rect x="9" y="2" width="5" height="3.5" rx="1" />
      <rect x="2" y="10.5" width="5" height="3.5" rx="1" />
      <rect x="9" y="8" width="5" height="6" rx="1" />
    </>
  ),
  host: () => (
    <>
      <rect x="2" y="2.5" width="12" height="4.5" rx="1.2" />
      <rect x="2" y="9" width="12" height="4.5" rx="1.2" />
      <path d="M4.6 4.75h.1M4.6 11.25h.1" stroke-width="2" />
    </>
  ),
  settings: () => (
    <>
      <path d="M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6" />
      <circle cx="10" cy="4.5" r="1.5" />
      <circle cx="6" cy="11.5" r="1.5" />
    </>
  ),
  calendar: () => (
    <>
      <rect x="2.5" y="3.5" width="11" height="10" rx="1.5" />
      <path d="M2.5 6.5h11M5.5 2v3M10.5 2v3" />
    </>
  ),
  group: () => (
    <>
      <rect x="2" y="2" width="12" height="12" rx="2" stroke-dasharray="2.6 2" />
      <path d="M5 6h6M5 10h6" />
    </>
  ),
  hold: () => (
    <>
      <rect x="3" y="7" width="10" height="6.5" rx="1.4" />
      <path d="M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2" />
    </>
  ),
  deploy: () => (
    <>
      <path d="M8 2v8M4.8 7L8 10.2 11.2 7" />
      <path d="M2.5 11v2.5h11V11" />
    </>
  ),
  jobs: () => (
    <>
      <path d="M6 4h8M6 8h8M6 12h8" />
      <path d="M2.4 4h.1M2.4 8h.1M2.4 12h.1" stroke-width="2.2" />
    </>
  ),
  download: () => (
    <>
      <path d="M8 2.5v8M4.8 7.5L8 10.7l3.2-3.2M3 13.5h10" />
    </>
  ),
  copy: () => (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M3.5 10.5h-.2A.8.8 0 0 1 2.5 9.7V3.3a.8.8 0 0 1 .8-.8h6.4a.8.8 0 0 1 .8.8v.2" />
    </>
  ),
  plus: () => (
    <>
      <path d="M8 3v10M3 8h10" />
    </>
  ),
  filter: () => (
    <>
      <path d="M2 4h12M4.5 8h7M6.5 12h3" />
    </>
  ),
  theme: () => (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
    </>
  ),
  more: () => (
    <>
      <path d="M3.5 8h.1M8 8h.1M12.5 8h.1" stroke-width="2.2" />
    </>
  ),
  undo: () => (
    <>
      <path d="M5.5 3L2.5 6l3 3" />
      <path d="M2.5 6H10a3.5 3.5 0 0 1 0 7H7" />
    </>
  ),
  prev: () => (
    <>
      <path d="M10 3.5L5.5 8l4.5 4.5" />
    </>
  ),
  menu: () => (
    <>
      <path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />
    </>
  ),
  info: () => (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.3v3.5M8 5.2v.1" />
    </>
  ),
  rest: () => (
    <>
      <circle cx="8" cy="8" r="5" />
    </>
  ),
  send: () => (
    <>
      <path d="M14 2L7 9M14 2l-4.5 12L7 9 2 6.5z" />
    </>
  ),
  read: () => (
    <>
      <path d="M2.5 3.5h4A1.5 1.5 0 0 1 8 5v8.5a1.5 1.5 0 0 0-1.5-1.2h-4zM13.5 3.5h-4A1.5 1.5 0 0 0 8 5v8.5a1.5 1.5 0 0 1 1.5-1.2h4z" />
    </>
  ),
  shield: () => (
    <>
      <path d="M8 1.8l5 2v4c0 3.2-2 5.4-5 6.5-3-1.1-5-3.3-5-6.5v-4z" />
      <path d="M5.8 8l1.6 1.6 2.9-3.2" />
    </>
  ),
  key: () => (
    <>
      <circle cx="5.2" cy="10.8" r="2.9" />
      <path d="M7.3 8.7L13.5 2.5M11 5l2 2" />
    </>
  ),
  globe: () => (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M2 8h12M8 2c2.2 2 2.2 10 0 12M8 2c-2.2 2-2.2 10 0 12" />
    </>
  ),
  phone: () => (
    <>
      <rect x="4.5" y="1.8" width="7" height="12.4" rx="1.6" />
      <path d="M7.2 11.8h1.6" />
    </>
  ),
  print: () => (
    <>
      <path d="M4.5 6V2.5h7V6M4.5 11.5h-2V6h11v5.5h-2" />
      <path d="M4.5 9.5h7v4h-7z" />
    </>
  ),
  user: () => (
    <>
      <circle cx="8" cy="5.2" r="2.7" />
      <path d="M2.8 13.5c.5-3 2.5-4.3 5.2-4.3s4.7 1.3 5.2 4.3" />
    </>
  ),
  decision: () => (
    <>
      <path d="M8 2.5v6M8 11.5v.1" stroke-width="2" />
      <circle cx="8" cy="8" r="6.5" stroke-dasharray="3 2" />
    </>
  )
} satisfies Record<string, () => JSX.Element>

export type IconName = keyof typeof shapes

export const Icon = (props: { name: IconName; class?: string | undefined }): JSX.Element => (
  <svg class={`i ${props.class ?? ""}`} viewBox="0 0 16 16" aria-hidden="true">
    {shapes[props.name]()}
  </svg>
)

/** Two sheets, the front one ticked. */
export const Logo = (): JSX.Element => (
  <svg class="i i20" viewBox="0 0 20 20" aria-hidden="true">
    <rect x="2" y="6.5" width="11.5" height="11.5" rx="2.5" />
    <path d="M6.5 6.5V4.5A2.5 2.5 0 0 1 9 2h6.5A2.5 2.5 0 0 1 18 4.5V11a2.5 2.5 0 0 1-2.5 2.5h-2" />
    <path d="M5.2 12.4l1.9 1.9 3.5-4" />
  </svg>
)
