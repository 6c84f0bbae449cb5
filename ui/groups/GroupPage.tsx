/** One group: its hosts, who sees them through it, and what its hosts have in common. */
import { A, useNavigate, useParams } from "@solidjs/router"
import { createSignal, For, lazy, Show, Suspense, type JSX } from "solid-js"
import type { GroupDetail } from "#core/Group.ts"
import { ApiError } from "../api/ApiError.ts"
import { readGroup, readGroupServices, replaceGroupServices } from "../api/groups.ts"
import { listHolds } from "../api/holds.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may, user } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { Menu, MenuItem, MenuSeparator } from "../kit/Menu.tsx"
import { usePage } from "../kit/usePage.ts"
import { useCrumb } from "../shell/crumbs.ts"
import { GroupHosts } from "./GroupHosts.tsx"
import styles from "./Groups.module.css"

const GroupDialog = lazy(() => import("./GroupDialog.tsx"))
const DeleteGroupDialog = lazy(() => import("./DeleteGroupDialog.tsx"))
const UsersDialog = lazy(() => import("./UsersDialog.tsx"))
const ServicesDialog = lazy(() => import("./ServicesDialog.tsx"))

const Users = (props: { group: GroupDetail }): JSX.Element => {
  const [editing, setEditing] = createSignal(false)
  return (
    <section class="card" aria-labelledby="h-users">
      <header>
        <h2 id="h-users">Users</h2>
        <Show when={user()?.role === "admin" && may("groups:change")}>
          <button class="btn s" type="button" onClick={() => setEditing(true)}>
            Edit…
          </button>
        </Show>
      </header>
      <Show
        when={props.group.users.length > 0}
        fallback={<p class={`muted ${styles["note"]}`}>Nobody yet: only administrators and auditors see its hosts.</p>}
      >
        <div class={styles["items"]}>
          <For each={props.group.users}>{(one) => <span class="tag">{one.username}</span>}</For>
        </div>
      </Show>
      <Suspense>
        <Show when={editing()}>
          <UsersDialog group={props.group} onClose={() => setEditing(false)} />
        </Show>
      </Suspense>
    </section>
  )
}

const Services = (props: { group: GroupDetail }): JSX.Element => {
  const [editing, setEditing] = createSignal(false)
  const services = useData(() => ({
    queryKey: [...keys.group(props.group.id), "services"],
    queryFn: ({ signal }) => readGroupServices(props.group.id, signal)
  }))
  const save = async (names: ReadonlyArray<string>): Promise<void> => {
    await replaceGroupServices(props.group.id, names)
    void services.refetch()
    void queryClient.invalidateQueries({ queryKey: ["host-services"] })
  }
  return (
    <section class="card" aria-labelledby="h-services">
      <header>
        <h2 id="h-services">Service checks</h2>
        <Show when={may("hosts:change") && services.data !== undefined}>
          <button class="btn s" type="button" onClick={() => setEditing(true)}>
            Edit…
          </button>
        </Show>
      </header>
      <DataArea
        query={services}
        what="Service checks"
        rows={1}
        isEmpty={(checks) => checks.services.length === 0}
        empty={<p class={`muted ${styles["note"]}`}>None: nothing is checked before and after a run.</p>}
      >
        {(checks) => (
          <div class={styles["items"]}>
            <For each={checks().services}>{(name) => <span class="tag mono">{name}</span>}</For>
          </div>
        )}
      </DataArea>
      <Suspense>
        <Show when={editing()}>
          <ServicesDialog
            of={props.group.name}
            services={services.data?.services ?? []}
            hint="A host with a list of its own does not use the group's."
            onSave={save}
            onClose={() => setEditing(false)}
          />
        </Show>
      </Suspense>
    </section>
  )
}

const Holds = (props: { group: GroupDetail }): JSX.Element => {
  const holds = useData(() => ({
    queryKey: [...keys.holds, "of-group", props.group.id],
    queryFn: ({ signal }) => listHolds({ group_id: props.group.id, active: true, limit: 1 }, signal)
  }))
  return (
    <section class="card" aria-labelledby="h-holds">
      <header>
        <h2 id="h-holds">Holds</h2>
        <A href={`/holds?group=${props.group.id}`}>Show holds</A>
      </header>
      <DataArea query={holds} what="Holds" rows={1}>
        {(page) => (
          <p class={`muted ${styles["note"]}`}>
            {page().total === 0
              ? "No package is held on the group."
              : `${plural(page().total, "hold")} on the group now.`}
          </p>
        )}
      </DataArea>
    </section>
  )
}

export default function GroupPage(): JSX.Element {
  const parameters = useParams<{ id: string }>()
  const navigate = useNavigate()
  const group = useData(() => ({
    queryKey: [...keys.group(parameters.id), "detail"],
    queryFn: ({ signal }) => readGroup(parameters.id, signal),
    refetchInterval: 60_000
  }))
  const page = usePage(() => group.data?.name ?? "Group")
  useCrumb(() => group.data?.name ?? "Group")
  const [editing, setEditing] = createSignal(false)
  const [deleting, setDeleting] = createSignal(false)
  const gone = (): boolean => group.error instanceof ApiError && group.error.status === 404
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>{gone() ? "No such group" : (group.data?.name ?? "Group")}</h1>
          <p class="sub">{gone() ? "It was deleted, or you do not belong to it." : group.data?.description}</p>
        </div>
        <Show when={may("groups:change") && group.data !== undefined && !gone()}>
          <div class="actions">
            <Menu label="More actions" class="btn sq" face={<Icon name="more" />}>
              <MenuItem icon="group" onSelect={() => setEditing(true)}>
                Edit name and description…
              </MenuItem>
              <MenuSeparator />
              <MenuItem icon="failed" danger onSelect={() => setDeleting(true)}>
                Delete group…
              </MenuItem>
            </Menu>
          </div>
        </Show>
      </div>
      <Show
        when={!gone()}
        fallback={
          <A class="btn" href="/groups">
            Show all groups
          </A>
        }
      >
        <DataArea query={group} what="The group" rows={6}>
          {(now) => (
            <div class={`cols ${styles["cols"]}`}>
              <GroupHosts group={now()} />
              <div class={styles["side"]}>
                <Users group={now()} />
                <Services group={now()} />
                <Holds group={now()} />
              </div>
            </div>
          )}
        </DataArea>
      </Show>
      <Suspense>
        <Show when={editing() && group.data}>
          {(now) => <GroupDialog group={now()} onClose={() => setEditing(false)} />}
        </Show>
        <Show when={deleting() && group.data}>
          {(now) => (
            <DeleteGroupDialog
              group={now()}
              onClose={() => setDeleting(false)}
              onDeleted={() => navigate("/groups", { replace: true })}
            />
          )}
        </Show>
      </Suspense>
    </main>
  )
}
