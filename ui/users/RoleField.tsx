/** One of the three roles, with what it may do. */
import { For, type JSX } from "solid-js"
import { Role } from "#core/Permission.ts"
import { roleWords } from "../account/roleWords.ts"
import { Icon } from "../kit/Icon.tsx"
import { roleHints } from "./userWords.ts"

export const RoleField = (props: {
  value: Role
  disabled?: boolean
  /** Why it cannot be chosen here. */
  note?: string | undefined
  onChange: (role: Role) => void
}): JSX.Element => (
  <div class="field">
    <label for="user-role">Role</label>
    <span class="sel">
      <select
        class="inp"
        id="user-role"
        aria-describedby="user-role-hint"
        disabled={props.disabled === true}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value as Role)}
      >
        <For each={Role.literals}>{(role) => <option value={role}>{roleWords[role]}</option>}</For>
      </select>
      <Icon name="down" />
    </span>
    <span class="hint" id="user-role-hint">
      {props.note ?? roleHints[props.value]}
    </span>
  </div>
)
