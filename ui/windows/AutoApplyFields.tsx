/** Whether the window makes a job by itself when it opens, and which. */
import { Show, type JSX } from "solid-js"
import { Check } from "../deploy/Options.tsx"
import { Choice, Text } from "./RuleFields.tsx"
import type { WindowDraft } from "./windowDraft.ts"
import styles from "./Windows.module.css"

export const AutoApplyFields = (props: {
  draft: WindowDraft
  onChange: (part: Partial<WindowDraft>) => void
}): JSX.Element => (
  <>
    <Check
      label="Patch by itself when it opens"
      hint="One job for each opening, for the hosts for which this window holds then."
      checked={props.draft.automatic}
      onChange={(automatic) => props.onChange({ automatic })}
    />
    <Show when={props.draft.automatic}>
      <div class={styles["pair"]}>
        <Choice
          label="Install"
          value={props.draft.selection}
          choices={[
            ["security", "Security patches"],
            ["all", "All patches"],
            ["packages", "Packages by name"]
          ]}
          onChange={(selection) => props.onChange({ selection })}
        />
        <Choice
          label="Reboot"
          value={props.draft.reboot}
          choices={[
            ["if_needed", "If needed"],
            ["never", "Never"],
            ["always", "Always"]
          ]}
          onChange={(reboot) => props.onChange({ reboot })}
        />
      </div>
      <Show when={props.draft.selection === "packages"}>
        <Text
          label="Packages"
          required
          value={props.draft.packages}
          hint="Names with spaces between them."
          onInput={(packages) => props.onChange({ packages })}
        />
      </Show>
      <div class={styles["pair"]}>
        <Text
          label="Hosts at once"
          type="number"
          min={1}
          max={1000}
          value={props.draft.max_concurrency}
          onInput={(max_concurrency) => props.onChange({ max_concurrency })}
        />
        <Choice
          label="If a host offers another version than planned"
          value={props.draft.on_change}
          choices={[
            ["stop", "Leave that host alone"],
            ["take", "Take what there is"]
          ]}
          onChange={(on_change) => props.onChange({ on_change })}
        />
      </div>
    </Show>
  </>
)
