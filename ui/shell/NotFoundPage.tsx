/** An address that leads nowhere. */
import { A } from "@solidjs/router"
import type { JSX } from "solid-js"
import { usePage } from "../kit/usePage.ts"

export const NotFoundPage = (): JSX.Element => {
  const page = usePage(() => "Not found")
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>There is nothing at this address</h1>
          <p class="sub">It may have been removed, or the link is wrong.</p>
        </div>
      </div>
      <div class="actions">
        <A class="btn" href="/">
          Go to the dashboard
        </A>
      </div>
    </main>
  )
}
