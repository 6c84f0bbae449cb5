/** A console without hosts: the three steps to the first patched one. */
import { A } from "@solidjs/router"
import { Show, type JSX } from "solid-js"
import { may } from "../api/session.ts"
import { Icon } from "../kit/Icon.tsx"
import styles from "./Checklist.module.css"

export const Checklist = (): JSX.Element => (
  <section class="card" aria-labelledby="h-first">
    <header>
      <h2 id="h-first">Three steps to the first patched host</h2>
    </header>
    <ol class={styles["steps"]}>
      <li>
        <span class={styles["no"]}>1</span>
        <div>
          <b>Install the agent on a machine</b>
          <small>Package linux-patch-api. It listens on port 12443 and needs a certificate of this manager.</small>
        </div>
      </li>
      <li>
        <span class={styles["no"]}>2</span>
        <div>
          <b>Register the host</b>
          <small>
            By name or IP address. You are given its certificate, its key and the commands that install them.
          </small>
          <Show when={may("hosts:create")}>
            <div class={styles["act"]}>
              <A class="btn primary" href="/hosts?add=host">
                <Icon name="plus" />
                Add host
              </A>
            </div>
          </Show>
        </div>
      </li>
      <li>
        <span class={styles["no"]}>3</span>
        <div>
          <b>Apply its updates</b>
          <small>
            Pending updates appear within seconds of the first answer. “Apply now” stands on the host's page.
          </small>
        </div>
      </li>
    </ol>
  </section>
)
