/** The console: signed in or not, and which page stands where. The address stays while somebody signs in again. */
import { Route, Router } from "@solidjs/router"
import { createEffect, lazy, Match, onMount, Show, Suspense, Switch, type JSX } from "solid-js"
import { queryClient } from "./api/queryClient.ts"
import { session, startSession } from "./api/session.ts"
import { stepUpAsked } from "./api/stepUp.ts"
import { Hatch } from "./kit/StackedBar.tsx"
import { Toasts } from "./kit/Toasts.tsx"
import { startLive, stopLive } from "./live/live.ts"
import { NotFoundPage } from "./shell/NotFoundPage.tsx"
import { Shell } from "./shell/Shell.tsx"
import { Unreachable } from "./shell/Unreachable.tsx"

const SignInPage = lazy(() => import("./sign-in/SignInPage.tsx"))
const StepUpDialog = lazy(() => import("./account/StepUpDialog.tsx"))
const AccountPage = lazy(() => import("./account/AccountPage.tsx"))
const DashboardPage = lazy(() => import("./dashboard/DashboardPage.tsx"))
const HostsPage = lazy(() => import("./hosts/HostsPage.tsx"))
const HostPage = lazy(() => import("./hosts/HostPage.tsx"))
const LiveTab = lazy(() => import("./hosts/LiveTab.tsx"))
const OverviewTab = lazy(() => import("./hosts/OverviewTab.tsx"))
const PackagesTab = lazy(() => import("./hosts/PackagesTab.tsx"))
const PatchesTab = lazy(() => import("./hosts/PatchesTab.tsx"))
const HostJobsTab = lazy(() => import("./hosts/HostJobsTab.tsx"))
const CertificateTab = lazy(() => import("./hosts/CertificateTab.tsx"))
const HostPolicyTab = lazy(() => import("./hosts/HostPolicyTab.tsx"))
const GroupsPage = lazy(() => import("./groups/GroupsPage.tsx"))
const GroupPage = lazy(() => import("./groups/GroupPage.tsx"))
const HoldsPage = lazy(() => import("./holds/HoldsPage.tsx"))
const WindowsPage = lazy(() => import("./windows/WindowsPage.tsx"))
const SimulationPage = lazy(() => import("./windows/SimulationPage.tsx"))
const HostWindowsTab = lazy(() => import("./hosts/HostWindowsTab.tsx"))
const UsersPage = lazy(() => import("./users/UsersPage.tsx"))
const UserPage = lazy(() => import("./users/UserPage.tsx"))
const SessionsPage = lazy(() => import("./security/SessionsPage.tsx"))
const TokensPage = lazy(() => import("./security/TokensPage.tsx"))
const NetworkPage = lazy(() => import("./network/NetworkPage.tsx"))
const SsoPage = lazy(() => import("./sso/SsoPage.tsx"))
const SettingsPage = lazy(() => import("./settings/SettingsPage.tsx"))
const DeployPage = lazy(() => import("./deploy/DeployPage.tsx"))
const DiscoveryPage = lazy(() => import("./discovery/DiscoveryPage.tsx"))
const EnrolmentsPage = lazy(() => import("./enrolments/EnrolmentsPage.tsx"))
const AuditPage = lazy(() => import("./audit/AuditPage.tsx"))
const JobsPage = lazy(() => import("./jobs/JobsPage.tsx"))
const JobPage = lazy(() => import("./jobs/JobPage.tsx"))

const Pages = (): JSX.Element => (
  <Router root={Shell}>
    <Route path="/" component={DashboardPage} />
    <Route path="/hosts" component={HostsPage} />
    <Route path="/hosts/:id" component={HostPage}>
      <Route path="/" component={LiveTab} />
      <Route path="/overview" component={OverviewTab} />
      <Route path="/packages" component={PackagesTab} />
      <Route path="/patches" component={PatchesTab} />
      <Route path="/jobs" component={HostJobsTab} />
      <Route path="/windows" component={HostWindowsTab} />
      <Route path="/policy" component={HostPolicyTab} />
      <Route path="/certificate" component={CertificateTab} />
    </Route>
    <Route path="/groups" component={GroupsPage} />
    <Route path="/groups/:id" component={GroupPage} />
    <Route path="/holds" component={HoldsPage} />
    <Route path="/windows" component={WindowsPage} />
    <Route path="/windows/simulate" component={SimulationPage} />
    <Route path="/discovery" component={DiscoveryPage} />
    <Route path="/enrolments" component={EnrolmentsPage} />
    <Route path="/jobs" component={JobsPage} />
    <Route path="/jobs/:id" component={JobPage} />
    <Route path="/deploy" component={DeployPage} />
    <Route path="/users" component={UsersPage} />
    <Route path="/users/:id" component={UserPage} />
    <Route path="/security/sessions" component={SessionsPage} />
    <Route path="/security/tokens" component={TokensPage} />
    <Route path="/network" component={NetworkPage} />
    <Route path="/audit" component={AuditPage} />
    <Route path="/security/sso" component={SsoPage} />
    <Route path="/settings" component={SettingsPage} />
    <Route path="/account" component={AccountPage} />
    <Route path="*" component={NotFoundPage} />
  </Router>
)

export const App = (): JSX.Element => {
  onMount(() => {
    queryClient.mount()
    void startSession()
  })
  createEffect((before: string | undefined) => {
    const { state } = session()
    if (state === "signed_in") startLive()
    else if (before === "signed_in") stopLive()
    return state
  })
  return (
    <>
      <Hatch />
      <Switch>
        <Match when={session().state === "signed_in"}>
          <Pages />
          <Suspense>
            <Show when={stepUpAsked()}>{(asked) => <StepUpDialog asked={asked()} />}</Show>
          </Suspense>
        </Match>
        <Match when={session().state === "unreachable"}>
          <Unreachable />
        </Match>
        <Match when={session().state !== "starting"}>
          <Suspense>
            <SignInPage />
          </Suspense>
        </Match>
      </Switch>
      <Toasts />
    </>
  )
}
