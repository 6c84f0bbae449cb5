/** Everybody who has an account, filtered and sorted by the address. */
import { A, useSearchParams } from "@solidjs/router"
import { createSignal, For, lazy, Show, Suspense, type JSX } from "solid-js"
import type { UserAccount, UserSort } from "#core/UserAccount.ts"
import { roleWords } from "../account/roleWords.ts"
import { keys } from "../api/keys.ts"
import { may, user } from "../api/session.ts"
import { usePages } from "../api/useData.ts"
import { listUsers, type UserListRequest } from "../api/users.ts"
import { plural } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import { ListCard } from "../kit/ListCard.tsx"
import { SearchField } from "../kit/SearchField.tsx"
import { Segments } from "../kit/Segments.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { usePage } from "../kit/usePage.ts"
import { SortButton } from "./SortButton.tsx"
import { factorWords, userState } from "./userWords.ts"
import styles from "./Users.module.css"

const NewUserDialog = lazy(() => import("./NewUserDialog.tsx"))

const filters = {
  all: { words: "All", request: {} },
  admin: { words: "Administrators", request: { role: ["admin"] } },
  operator: { words: "Operators", request: { role: ["operator"] } },
  auditor: { words: "Auditors", request: { role: ["auditor"] } },
  disabled: { words: "Disabled", request: { disabled: true } }
} as const satisfies Record<string, { words: string; request: Omit<UserListRequest, "limit"> }>

type Filter = keyof typeof filters
const names = Object.keys(filters) as ReadonlyArray<Filter>

const sorts: ReadonlyArray<UserSort> = ["username", "-username", "last_sign_in", "-last_sign_in"]

const UserRow = (props: { of: UserAccount }): JSX.Element => (
  <tr>
    <td class={styles["who"]}>
      <A href={`/users/${props.of.id}`}>{props.of.display_name}</A>
      <span class="muted sm">
        {props.of.username}
        {props.of.id === user()?.id ? " · you" : ""}
      </span>
    </td>
    <td>
      {roleWords[props.of.role]}
      <Show when={props.of.origin === "break_glass"}>
        <span class="muted"> · emergency</span>
      </Show>
    </td>
    <td>
      <State of={userState(props.of)} />
    </td>
    <td class={factorWords(props.of.factors) === "None yet" ? "muted" : undefined}>
      {props.of.origin === "sso" ? "At the identity provider" : factorWords(props.of.factors)}
    </td>
    <td class={`muted ${styles["trim"]}`} title={props.of.groups.map(({ name }) => name).join(", ")}>
      {props.of.groups.map(({ name }) => name).join(", ") || "–"}
    </td>
    <td class="muted">
      <Show when={props.of.last_sign_in_at} fallback="Never">
        {(at) => <Time at={at()} as="ago" />}
      </Show>
    </td>
  </tr>
)

export default function UsersPage(): JSX.Element {
  const page = usePage(() => "Users")
  const [parameters, setParameters] = useSearchParams<{ q?: string; show?: string; sort?: string }>()
  const [adding, setAdding] = createSignal(false)
  const filter = (): Filter => names.find((name) => name === parameters.show) ?? "all"
  const sort = (): UserSort => sorts.find((one) => one === parameters.sort) ?? "username"
  const users = usePages(() => ({
    queryKey: [...keys.users, "list", filter(), sort(), parameters.q ?? ""],
    queryFn: ({ pageParam, signal }) =>
      listUsers({ ...filters[filter()].request, q: parameters.q, sort: sort(), cursor: pageParam, limit: 100 }, signal),
    keepPrevious: true
  }))
  const narrowed = (): boolean => parameters.q !== undefined || filter() !== "all"
  const head = (words: string, order: "username" | "last_sign_in"): JSX.Element => (
    <SortButton
      words={words}
      order={order}
      sort={sort()}
      onSort={(next) => setParameters({ sort: next === "username" ? undefined : next }, { replace: true })}
    />
  )
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Users</h1>
          <p class="sub">
            <Show when={users.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => plural(first().total, "user")}
            </Show>
          </p>
        </div>
        <Show when={may("users:change")}>
          <div class="actions">
            <button class="btn" type="button" onClick={() => setAdding(true)}>
              <Icon name="plus" />
              Add user
            </button>
          </div>
        </Show>
      </div>
      <div class={styles["tools"]}>
        <SearchField
          label="Filter users by name or mail address"
          placeholder="Name or mail address"
          value={parameters.q ?? ""}
          onInput={(q) => setParameters({ q: q.trim() === "" ? undefined : q }, { replace: true })}
        />
        <Segments
          names={names}
          words={(name) => filters[name].words}
          current={filter()}
          onPick={(name) => setParameters({ show: name === "all" ? undefined : name })}
        />
      </div>
      <ListCard
        what="Users"
        query={users}
        rows={6}
        more="Show more users"
        empty={
          <Show when={narrowed()} fallback={<b>No users yet</b>}>
            <b>No user matches</b>
            <button class="btn" type="button" onClick={() => setParameters({ q: undefined, show: undefined })}>
              Show all users
            </button>
          </Show>
        }
      >
        {(all) => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="Users">
            <table class={`tbl ${styles["users"]}`}>
              <thead>
                <tr>
                  {head("User", "username")}
                  <th scope="col">Role</th>
                  <th scope="col">State</th>
                  <th scope="col">Second factor</th>
                  <th scope="col">Groups</th>
                  {head("Last sign-in", "last_sign_in")}
                </tr>
              </thead>
              <tbody>
                <For each={all()}>{(one) => <UserRow of={one} />}</For>
              </tbody>
            </table>
          </div>
        )}
      </ListCard>
      <Suspense>
        <Show when={adding()}>
          <NewUserDialog onClose={() => setAdding(false)} />
        </Show>
      </Suspense>
    </main>
  )
}
