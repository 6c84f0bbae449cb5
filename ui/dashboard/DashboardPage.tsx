/** The fleet at a glance, in numbers that the manager really has; every one of them leads to the hosts behind it. */
import { A } from "@solidjs/router"
import { Show, type JSX } from "solid-js"
import type { FleetStatus } from "#core/Fleet.ts"
import { may } from "../api/session.ts"
import { count } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { usePage } from "../kit/usePage.ts"
import { useFleet } from "../shell/useFleet.ts"
import { Attention } from "./Attention.tsx"
import { Checklist } from "./Checklist.tsx"
import { Compliance } from "./Compliance.tsx"
import { NextWindows } from "./NextWindows.tsx"
import { RootCertificate } from "./RootCertificate.tsx"
import { RunningJobs } from "./RunningJobs.tsx"
import styles from "./DashboardPage.module.css"

const Numbers = (props: { fleet: FleetStatus }): JSX.Element => (
  <>
    <Compliance fleet={props.fleet} />
    <div class={`cols ${styles["dash"]}`}>
      <div>
        <Attention fleet={props.fleet} />
      </div>
      <div>
        <RunningJobs />
        <NextWindows />
        <RootCertificate />
      </div>
    </div>
  </>
)

export default function DashboardPage(): JSX.Element {
  const page = usePage(() => "Dashboard")
  const fleet = useFleet()
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Dashboard</h1>
          <p class="sub">
            <Show when={fleet.data} fallback={<>&nbsp;</>}>
              {(numbers) => (
                <>
                  {count(numbers().hosts_total)} hosts · data as of <Time at={numbers().as_of} />
                </>
              )}
            </Show>
          </p>
        </div>
        <div class={`actions ${styles["actions"]}`}>
          <Show when={may("hosts:create")}>
            <A class="btn" href="/hosts?add=host">
              <Icon name="plus" />
              Add host
            </A>
          </Show>
          <Show when={may("jobs:create") && (fleet.data?.hosts_with_pending ?? 0) > 0}>
            <A class="btn primary" href="/hosts?pending=any&sort=-security">
              <Icon name="deploy" />
              Choose hosts to patch
            </A>
          </Show>
        </div>
      </div>
      <DataArea query={fleet} what="The fleet's numbers" rows={8}>
        {(numbers) => (
          <Show
            when={numbers().hosts_total > 0}
            fallback={
              <>
                <Checklist />
                <RootCertificate />
              </>
            }
          >
            <Numbers fleet={numbers()} />
          </Show>
        )}
      </DataArea>
    </main>
  )
}
