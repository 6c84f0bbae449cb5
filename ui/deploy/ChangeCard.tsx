/** What is to be done on each host. */
import { Show, type JSX } from "solid-js"
import type { Draft, DraftKind } from "./draft.ts"
import { Options, type OptionChoice } from "./Options.tsx"
import styles from "./DeployPage.module.css"

type What = "all" | "security" | "packages" | Exclude<DraftKind, "patch_apply">

const whats: ReadonlyArray<OptionChoice<What>> = [
  { value: "all", words: "All pending updates" },
  { value: "security", words: "Security updates only", hint: "On apt the agent's estimate, from package names." },
  { value: "packages", words: "Chosen updates", hint: "Hosts on which none of them is pending have nothing to do." },
  { value: "package_install", words: "Install packages", hint: "name, or name=version for exactly that version." },
  { value: "package_update", words: "Update one package" },
  { value: "package_remove", words: "Remove one package", hint: "Its configuration stays on the host." },
  { value: "reboot", words: "Restart only" }
]

export const ChangeCard = (props: { draft: Draft; onChange: (part: Partial<Draft>) => void }): JSX.Element => {
  const what = (): What => (props.draft.kind === "patch_apply" ? props.draft.choice : props.draft.kind)
  const choose = (value: What): void =>
    props.onChange(
      value === "all" || value === "security" || value === "packages"
        ? { kind: "patch_apply", choice: value }
        : { kind: value }
    )
  const named = (): boolean => !["all", "security", "reboot"].includes(what())
  return (
    <section class="card" aria-labelledby="h-what">
      <header>
        <h2 id="h-what">What</h2>
      </header>
      <div class={styles["form"]}>
        <Options name="what" label="Do this" options={whats} value={what()} onChange={choose} />
        <Show when={named()}>
          <div class="field">
            <label for="deploy-packages">Package names</label>
            <textarea
              class="inp mono"
              id="deploy-packages"
              rows="2"
              spellcheck={false}
              placeholder={what() === "package_install" ? "nginx curl=8.1-1" : "openssl"}
              value={props.draft.packages}
              onInput={(event) => props.onChange({ packages: event.currentTarget.value })}
            />
          </div>
        </Show>
        <Show when={props.draft.kind !== "reboot"}>
          <Options
            name="reboot"
            label="Restart afterwards"
            value={props.draft.reboot}
            onChange={(reboot) => props.onChange({ reboot })}
            options={[
              { value: "never", words: "Never", hint: "A restart that is owed stays owed." },
              { value: "if_needed", words: "If needed", hint: "Where the host asks for it after its updates." },
              { value: "always", words: "Always" }
            ]}
          />
        </Show>
        <Show when={props.draft.kind === "reboot" || props.draft.reboot !== "never"}>
          <div class="field">
            <label for="deploy-delay">Wait before the restart, minutes</label>
            <input
              class="inp"
              id="deploy-delay"
              type="number"
              min="0"
              max="1440"
              value={props.draft.delay_minutes}
              onInput={(event) => props.onChange({ delay_minutes: event.currentTarget.value })}
            />
          </div>
        </Show>
      </div>
    </section>
  )
}
