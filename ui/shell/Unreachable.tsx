/** The manager did not answer when the console was opened. */
import type { JSX } from "solid-js"
import { startSession } from "../api/session.ts"

export const Unreachable = (): JSX.Element => (
  <main class="main" id="main">
    <section class="card" aria-labelledby="unreachable">
      <header>
        <h1 id="unreachable">The manager does not answer</h1>
      </header>
      <div class="empty">
        <p class="muted">Check that it is running and that this address is right, then try again.</p>
        <div class="actions">
          <button class="btn primary" type="button" onClick={() => void startSession()}>
            Try again
          </button>
        </div>
      </div>
    </section>
  </main>
)
