/** Which services have to be up before and after a run, one unit name a line. */
import { createSignal, untrack, type JSX } from "solid-js"
import { MOST_SERVICE_CHECKS } from "#core/ServiceCheck.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"
import { splitWords } from "./splitWords.ts"

export default function ServicesDialog(props: {
  /** Whose services: the host's or the group's name. */
  of: string
  services: ReadonlyArray<string>
  hint: string
  onSave: (services: ReadonlyArray<string>) => Promise<void>
  onClose: () => void
}): JSX.Element {
  const [text, setText] = createSignal(untrack(() => props.services.join("\n")))
  const names = (): ReadonlyArray<string> => splitWords(text())
  const submit = async (): Promise<void> => {
    await props.onSave(names())
    say(`Service checks of ${props.of} changed`)
  }
  return (
    <FormDialog
      title={`Service checks of ${props.of}`}
      act="Change service checks"
      ready={names().length <= MOST_SERVICE_CHECKS}
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <div class="field">
        <label for="services">Services</label>
        <textarea
          class="inp mono"
          id="services"
          rows="5"
          spellcheck={false}
          placeholder={"nginx\npostgresql@16-main"}
          aria-describedby="services-hint"
          value={text()}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <span class={names().length > MOST_SERVICE_CHECKS ? "fault" : "hint"} id="services-hint">
          One a line, at most {MOST_SERVICE_CHECKS}; none takes the list back. {props.hint}
        </span>
      </div>
    </FormDialog>
  )
}
