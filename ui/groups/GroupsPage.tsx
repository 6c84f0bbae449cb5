/** All groups that the reader may see, by name. */
import { A, useNavigate, useSearchParams } from "@solidjs/router"
import { createSignal, For, lazy, Show, Suspense, type JSX } from "solid-js"
import { listGroups } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { usePages } from "../api/useData.ts"
import { count, plural } from "../format/numbers.ts"
import { ListCard } from "../kit/ListCard.tsx"
import { Icon } from "../kit/Icon.tsx"
import { SearchField } from "../kit/SearchField.tsx"
import { usePage } from "../kit/usePage.ts"
import styles from "./Groups.module.css"

const GroupDialog = lazy(() => import("./GroupDialog.tsx"))

export default function GroupsPage(): JSX.Element {
  const page = usePage(() => "Groups")
  const navigate = useNavigate()
  const [parameters, setParameters] = useSearchParams<{ q?: string }>()
  const [adding, setAdding] = createSignal(false)
  const groups = usePages(() => ({
    queryKey: [...keys.groups, "list", parameters.q ?? ""],
    queryFn: ({ pageParam, signal }) => listGroups({ q: parameters.q, cursor: pageParam, limit: 100 }, signal),
    keepPrevious: true
  }))
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Groups</h1>
          <p class="sub">
            <Show when={groups.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => plural(first().total, "group")}
            </Show>
          </p>
        </div>
        <div class="actions">
          <Show when={may("groups:change")}>
            <button class="btn" type="button" onClick={() => setAdding(true)}>
              <Icon name="plus" />
              Add group
            </button>
          </Show>
        </div>
      </div>
      <SearchField
        label="Filter groups by name"
        placeholder="Group name"
        value={parameters.q ?? ""}
        onInput={(q) => setParameters({ q: q.trim() === "" ? undefined : q }, { replace: true })}
      />
      <ListCard
        what="Groups"
        query={groups}
        rows={6}
        more="Show more groups"
        empty={
          <>
            <Show
              when={parameters.q === undefined}
              fallback={
                <>
                  <b>No group matches</b>
                  <button class="btn" type="button" onClick={() => setParameters({ q: undefined })}>
                    Show all groups
                  </button>
                </>
              }
            >
              <b>{may("groups:change") ? "No groups yet" : "You belong to no group"}</b>
              <p class="muted">
                {may("groups:change")
                  ? "Without groups every operator sees every host. A host in a group is seen only by the group's users."
                  : "You see the hosts that are in no group. An administrator can put you into one."}
              </p>
            </Show>
          </>
        }
      >
        {(all) => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="Groups">
            <table class={`tbl ${styles["groups"]}`}>
              <thead>
                <tr>
                  <th scope="col">Group</th>
                  <th scope="col" class="num">
                    Hosts
                  </th>
                  <th scope="col" class="num">
                    Users
                  </th>
                  <th scope="col">Description</th>
                </tr>
              </thead>
              <tbody>
                <For each={all()}>
                  {(group) => (
                    <tr>
                      <td>
                        <A href={`/groups/${group.id}`}>{group.name}</A>
                      </td>
                      <td class="num">{count(group.hosts_total)}</td>
                      <td class="num">{count(group.users_total)}</td>
                      <td class="muted">{group.description}</td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
        )}
      </ListCard>
      <Suspense>
        <Show when={adding()}>
          <GroupDialog onClose={() => setAdding(false)} onMade={(group) => navigate(`/groups/${group.id}`)} />
        </Show>
      </Suspense>
    </main>
  )
}
