/** One account: who it is, how he signs in, and what an administrator does about it. */
import { A, useNavigate, useParams } from "@solidjs/router"
import { createSignal, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js"
import type { UserAccount } from "#core/UserAccount.ts"
import { roleWords } from "../account/roleWords.ts"
import { ApiError } from "../api/ApiError.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may, user as me } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { changeUser, readUser } from "../api/users.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { Menu, MenuItem, MenuSeparator } from "../kit/Menu.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import { usePage } from "../kit/usePage.ts"
import { useCrumb } from "../shell/crumbs.ts"
import { AccountForm } from "./AccountForm.tsx"
import { factorWords, originWords, userState } from "./userWords.ts"
import styles from "./Users.module.css"

const ResetPasswordDialog = lazy(() => import("./ResetPasswordDialog.tsx"))
const DisableDialog = lazy(async () => ({ default: (await import("./UserDialogs.tsx")).DisableDialog }))
const ResetFactorsDialog = lazy(async () => ({ default: (await import("./UserDialogs.tsx")).ResetFactorsDialog }))
const DeleteUserDialog = lazy(async () => ({ default: (await import("./UserDialogs.tsx")).DeleteUserDialog }))

type Asked = "none" | "password" | "factors" | "disable" | "delete"

const SignInFacts = (props: { of: UserAccount }): JSX.Element => (
  <section class="card" aria-labelledby="h-sign-in">
    <header>
      <h2 id="h-sign-in">Sign-in</h2>
      <Show when={may("sessions:read")}>
        <A href={`/security/sessions?user=${props.of.id}`}>Show sessions</A>
      </Show>
    </header>
    <dl class={`kv pad ${styles["facts"]}`}>
      <dt>State</dt>
      <dd>
        <State of={userState(props.of)} />
      </dd>
      <dt>User name</dt>
      <dd>{props.of.username}</dd>
      <dt>Vouched for by</dt>
      <dd>{originWords[props.of.origin]}</dd>
      <dt>Second factor</dt>
      <dd>{props.of.origin === "sso" ? "At the identity provider" : factorWords(props.of.factors)}</dd>
      <dt>Last sign-in</dt>
      <dd>
        <Show when={props.of.last_sign_in_at} fallback="Never">
          {(at) => <Time at={at()} as="full" />}
        </Show>
      </dd>
      <dt>Added</dt>
      <dd>
        <Time at={props.of.created_at} as="day" />
      </dd>
    </dl>
  </section>
)

const Actions = (props: { of: UserAccount; onAsk: (what: Asked) => void }): JSX.Element => {
  const enable = async (): Promise<void> => {
    try {
      await changeUser(props.of, { disabled: false })
      say(`${props.of.username} is enabled`)
      void queryClient.invalidateQueries({ queryKey: keys.users })
    } catch (cause) {
      sayFailed(`${props.of.username} could not be enabled`, cause)
    }
  }
  const emergency = (): boolean => props.of.origin === "break_glass"
  return (
    <Menu label="More actions" class="btn sq" face={<Icon name="more" />}>
      <Show when={!emergency() && props.of.origin !== "sso"}>
        <MenuItem icon="key" onSelect={() => props.onAsk("password")}>
          Reset password…
        </MenuItem>
      </Show>
      <Show when={!emergency()}>
        <MenuItem icon="phone" onSelect={() => props.onAsk("factors")}>
          Reset second factors…
        </MenuItem>
        <MenuSeparator />
      </Show>
      <Show
        when={props.of.disabled}
        fallback={
          <MenuItem icon="minus" onSelect={() => props.onAsk("disable")}>
            Disable account…
          </MenuItem>
        }
      >
        <MenuItem icon="check" onSelect={() => void enable()}>
          Enable account
        </MenuItem>
      </Show>
      <MenuItem icon="failed" danger onSelect={() => props.onAsk("delete")}>
        Delete user…
      </MenuItem>
    </Menu>
  )
}

export default function UserPage(): JSX.Element {
  const parameters = useParams<{ id: string }>()
  const navigate = useNavigate()
  const account = useData(() => ({
    queryKey: [...keys.user(parameters.id), "detail"],
    queryFn: ({ signal }) => readUser(parameters.id, signal)
  }))
  const name = (): string => account.data?.display_name ?? "User"
  const page = usePage(name)
  useCrumb(name)
  const [asked, setAsked] = createSignal<Asked>("none")
  const close = (): void => void setAsked("none")
  const gone = (): boolean => account.error instanceof ApiError && account.error.status === 404
  const own = (): boolean => account.data?.id === me()?.id
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>{gone() ? "No such user" : name()}</h1>
          <p class="sub">
            <Show when={!gone()} fallback="The account was deleted.">
              <Show when={account.data} fallback={<>&nbsp;</>}>
                {(now) => (
                  <>
                    {roleWords[now().role]}
                    {own() ? " · your own account" : ""}
                  </>
                )}
              </Show>
            </Show>
          </p>
        </div>
        <Show when={may("users:change") && !own() && !gone() && account.data}>
          {(now) => (
            <div class="actions">
              <Actions of={now()} onAsk={setAsked} />
            </div>
          )}
        </Show>
      </div>
      <Show
        when={!gone()}
        fallback={
          <A class="btn" href="/users">
            Show all users
          </A>
        }
      >
        <DataArea query={account} what="The account" rows={6}>
          {(now) => (
            <div class={`cols ${styles["cols"]}`}>
              <section class="card" aria-labelledby="h-account">
                <header>
                  <h2 id="h-account">Account</h2>
                </header>
                <Show when={`${now().id} ${now().version}`} keyed>
                  {(_version) => <AccountForm user={now()} onStale={() => void account.refetch()} />}
                </Show>
              </section>
              <SignInFacts of={now()} />
            </div>
          )}
        </DataArea>
      </Show>
      <Suspense>
        <Show when={account.data}>
          {(now) => (
            <Switch>
              <Match when={asked() === "password"}>
                <ResetPasswordDialog user={now()} onClose={close} />
              </Match>
              <Match when={asked() === "factors"}>
                <ResetFactorsDialog user={now()} onClose={close} />
              </Match>
              <Match when={asked() === "disable"}>
                <DisableDialog user={now()} onClose={close} />
              </Match>
              <Match when={asked() === "delete"}>
                <DeleteUserDialog
                  user={now()}
                  onClose={close}
                  onDeleted={() => navigate("/users", { replace: true })}
                />
              </Match>
            </Switch>
          )}
        </Show>
      </Suspense>
    </main>
  )
}
