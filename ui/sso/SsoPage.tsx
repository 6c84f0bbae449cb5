/** Identity providers: who may vouch for people at the sign-in page, and what their groups mean here. */
import { createSignal, For, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js"
import type { SsoKind, SsoProvider } from "#core/Sso.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { listSsoProviders } from "../api/ssoProviders.ts"
import { usePages } from "../api/useData.ts"
import { count, plural } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import { ListCard } from "../kit/ListCard.tsx"
import { Menu, MenuItem, MenuSeparator } from "../kit/Menu.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { usePage } from "../kit/usePage.ts"
import { providerState } from "./ssoStates.ts"
import styles from "./Sso.module.css"

const ProviderDialog = lazy(() => import("./ProviderDialog.tsx"))
const TestDialog = lazy(() => import("./TestDialog.tsx"))
const SwitchDialog = lazy(() => import("./SwitchDialog.tsx"))
const DeleteProviderDialog = lazy(() => import("./DeleteProviderDialog.tsx"))

type Open =
  | { readonly what: "add"; readonly kind: SsoKind }
  | { readonly what: "edit" | "test" | "switch" | "delete"; readonly provider: SsoProvider }

const mappingWords = ({ mappings }: SsoProvider): string =>
  mappings.length === 0 ? "No group gives a role" : plural(mappings.length, "group")

export default function SsoPage(): JSX.Element {
  const page = usePage(() => "Identity providers")
  const [open, setOpen] = createSignal<Open | null>(null)
  /** What comes when the dialog that is open closes. */
  let next: Open | null = null
  const close = (): void => {
    setOpen(next)
    next = null
  }
  const testNext = (provider: SsoProvider): void => {
    next = { what: "test", provider }
  }
  const providers = usePages(() => ({
    queryKey: keys.ssoProviders,
    queryFn: ({ pageParam, signal }) => listSsoProviders({ cursor: pageParam, limit: 100 }, signal)
  }))
  const about = (what: Open["what"]) => {
    const current = open()
    return current !== null && current.what === what && current.what !== "add" ? current.provider : null
  }
  const Row = (row: { of: SsoProvider }): JSX.Element => (
    <tr>
      <td class={styles["who"]}>
        <b>{row.of.name}</b>
        <span class="muted mono sm" title={row.of.issuer}>
          {row.of.issuer}
        </span>
        <Show when={row.of.enabled && row.of.last_failure}>
          {(failure) => (
            <span class={`fault ${styles["failure"]}`}>
              <Time at={failure().at} />: {failure().message}
            </span>
          )}
        </Show>
      </td>
      <td>
        <State of={providerState(row.of)} />
      </td>
      <td>{mappingWords(row.of)}</td>
      <td class="num">{count(row.of.identities_total)}</td>
      <td class="num">
        <Show when={may("sso:change")}>
          <Menu label={`Actions for ${row.of.name}`} class="btn quiet sq s" face={<Icon name="more" />}>
            <MenuItem icon="sync" onSelect={() => setOpen({ what: "test", provider: row.of })}>
              Test connection…
            </MenuItem>
            <MenuItem icon="settings" onSelect={() => setOpen({ what: "edit", provider: row.of })}>
              Edit…
            </MenuItem>
            <MenuItem icon="power" onSelect={() => setOpen({ what: "switch", provider: row.of })}>
              {row.of.enabled ? "Switch off…" : "Switch on…"}
            </MenuItem>
            <MenuSeparator />
            <MenuItem icon="failed" danger onSelect={() => setOpen({ what: "delete", provider: row.of })}>
              Delete…
            </MenuItem>
          </Menu>
        </Show>
      </td>
    </tr>
  )
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Identity providers</h1>
          <p class="sub">
            <Show when={providers.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => plural(first().total, "provider")}
            </Show>
          </p>
        </div>
        <div class="actions">
          <Show when={may("sso:change")}>
            <button class="btn" type="button" onClick={() => setOpen({ what: "add", kind: "entra" })}>
              <Icon name="plus" />
              Add provider
            </button>
          </Show>
        </div>
      </div>
      <ListCard
        what="Identity providers"
        query={providers}
        rows={3}
        more="Show more providers"
        empty={
          <>
            <b>People sign in with accounts of their own</b>
            <p class="muted">
              With an identity provider, such as Microsoft Entra or any other that speaks OpenID Connect, they sign in
              as they do elsewhere, and their groups there decide what they may do here. Local accounts go on to work.
            </p>
            <Show when={may("sso:change")}>
              <div class="actions">
                <button class="btn primary" type="button" onClick={() => setOpen({ what: "add", kind: "entra" })}>
                  Add Microsoft Entra
                </button>
                <button class="btn" type="button" onClick={() => setOpen({ what: "add", kind: "oidc" })}>
                  Add another provider
                </button>
              </div>
            </Show>
          </>
        }
      >
        {(all) => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="Identity providers">
            <table class={`tbl ${styles["providers"]}`}>
              <thead>
                <tr>
                  <th scope="col">Provider</th>
                  <th scope="col">State</th>
                  <th scope="col">Mapped</th>
                  <th scope="col" class="num">
                    Accounts
                  </th>
                  <th scope="col">
                    <span class="vh">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={all()}>{(provider) => <Row of={provider} />}</For>
              </tbody>
            </table>
          </div>
        )}
      </ListCard>
      <Suspense>
        <Switch>
          <Match when={open()?.what === "add" && open()}>
            {(current) => {
              const adding = current()
              return (
                <ProviderDialog
                  kind={adding.what === "add" ? adding.kind : "oidc"}
                  onClose={close}
                  onStored={testNext}
                />
              )
            }}
          </Match>
          <Match when={about("edit")}>
            {(provider) => (
              <ProviderDialog provider={provider()} kind={provider().kind} onClose={close} onStored={testNext} />
            )}
          </Match>
          <Match when={about("test")}>
            {(provider) => (
              <TestDialog
                provider={provider()}
                onClose={close}
                onSwitchOn={() => setOpen({ what: "switch", provider: provider() })}
              />
            )}
          </Match>
          <Match when={about("switch")}>{(provider) => <SwitchDialog provider={provider()} onClose={close} />}</Match>
          <Match when={about("delete")}>
            {(provider) => <DeleteProviderDialog provider={provider()} onClose={close} />}
          </Match>
        </Switch>
      </Suspense>
    </main>
  )
}
