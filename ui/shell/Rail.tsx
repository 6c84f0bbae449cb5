/** The rail on the left, folded to icons below 1400 px, a drawer on phones; and the phone's tab bar. */
import { A } from "@solidjs/router"
import { For, Show, type JSX } from "solid-js"
import { count } from "../format/numbers.ts"
import { Icon, Logo } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { isAt, openPlaces, tabs, type Place } from "./places.ts"
import { useWaiting } from "../enrolments/useWaiting.ts"
import { useFleet } from "./useFleet.ts"

const groups: ReadonlyArray<Place["group"]> = ["Overview", "Fleet", "Work", "System"]

export const Rail = (props: { at: string; open: boolean; onClose: () => void }): JSX.Element => {
  const fleet = useFleet()
  const waiting = useWaiting()
  const note = (place: Place): string | undefined => {
    if (place.path === "/enrolments") return waiting() > 0 ? `${count(waiting())} waiting` : undefined
    if (fleet.data === undefined) return undefined
    if (place.path === "/hosts") return count(fleet.data.hosts_total)
    if (place.path === "/jobs" && fleet.data.jobs.running > 0) return `${count(fleet.data.jobs.running)} running`
    return undefined
  }
  return (
    <>
      <Show when={props.open}>
        <button class="railshade" type="button" aria-label="Close navigation" onClick={() => props.onClose()} />
      </Show>
      <div class="rail" classList={{ open: props.open }}>
        <nav class="navw" aria-label="Main">
          <A class="brand" href="/" onClick={() => props.onClose()}>
            <Logo />
            <span>Patch Manager</span>
          </A>
          <div class="nav">
            <For each={groups}>
              {(group) => (
                <>
                  <h2>{group}</h2>
                  <ul>
                    <For each={openPlaces().filter((place) => place.group === group)}>
                      {(place) => (
                        <li>
                          <A
                            href={place.path}
                            title={place.name}
                            aria-current={isAt(place, props.at) ? "page" : undefined}
                            onClick={() => props.onClose()}
                          >
                            <Icon name={place.icon} />
                            <span>{place.name}</span>
                            <Show when={note(place)}>{(words) => <span>{words()}</span>}</Show>
                          </A>
                        </li>
                      )}
                    </For>
                  </ul>
                </>
              )}
            </For>
          </div>
        </nav>
        <div class="railfoot" role="region" aria-label="Service">
          <div>
            <span>Worker</span>
            <Show when={fleet.data?.worker} fallback={<span>Unknown</span>}>
              {(worker) => (
                <span class={worker().fresh ? "st quietok" : "st warn"}>
                  <Icon name={worker().fresh ? "check" : "warning"} />
                  <Show when={worker().beat_at} fallback="never heard">
                    {(at) => <Time at={at()} as="ago" />}
                  </Show>
                </span>
              )}
            </Show>
          </div>
          <div>
            <span>Version</span>
            <span>{__CONSOLE_VERSION__}</span>
          </div>
        </div>
      </div>
    </>
  )
}

export const TabBar = (props: { at: string }): JSX.Element => (
  <nav class="tabbar" aria-label="Sections">
    <For each={tabs}>
      {(place) => (
        <A href={place.path} aria-current={isAt(place, props.at) ? "page" : undefined}>
          <Icon name={place.icon} />
          {place.name}
        </A>
      )}
    </For>
  </nav>
)
