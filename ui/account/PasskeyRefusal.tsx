/** Why passkeys do not work in this browser, and what to do about it: trust the manager's root certificate, or use a code. */
import { For, Show, type JSX } from "solid-js"
import { ROOT_CERTIFICATE_PATH } from "../api/fleet.ts"
import { Icon } from "../kit/Icon.tsx"
import type { Refusal } from "../api/passkeys.ts"
import styles from "./Factors.module.css"

const places: ReadonlyArray<{ readonly name: string; readonly steps: ReadonlyArray<string> }> = [
  {
    name: "Windows (Chrome, Edge)",
    steps: [
      "Open root.crt and choose Install Certificate, then Local Machine.",
      "Place it in “Trusted Root Certification Authorities”.",
      "Close all windows of the browser and open it again."
    ]
  },
  {
    name: "macOS (Safari, Chrome)",
    steps: [
      "Open root.crt: Keychain Access adds it to the System keychain.",
      "Double-click it there and set Trust, “When using this certificate”, to Always Trust."
    ]
  },
  {
    name: "Linux (Chrome, Chromium)",
    steps: [
      "Install libnss3-tools (nss-tools on Fedora and RHEL).",
      "Run: certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n patch-manager -i root.crt",
      "Close all windows of the browser and open it again."
    ]
  },
  {
    name: "Firefox, on any system",
    steps: [
      "Open Settings, Privacy & Security, Certificates, View Certificates.",
      "On the tab Authorities choose Import and pick root.crt.",
      "Tick “Trust this CA to identify websites”."
    ]
  }
]

export const PasskeyRefusal = (props: { why: Refusal; totp: boolean }): JSX.Element => (
  <div class={styles["refusal"]} role="status">
    <Show
      when={props.why === "untrusted"}
      fallback={
        <p>
          <Icon name="warning" />
          <span>
            {props.why === "address"
              ? "Passkeys are bound to a host name, and this page was opened by its IP address. Open the console by its name to use one."
              : "This browser knows no passkeys."}
          </span>
        </p>
      }
    >
      <p>
        <Icon name="warning" />
        <span>
          This browser does not trust the manager's certificate, and browsers refuse passkeys on such pages. Trust the
          manager's root certificate to use them:{" "}
          <a href={ROOT_CERTIFICATE_PATH} download="root.crt">
            download root.crt
          </a>
          , compare its SHA-256 fingerprint with the one that the manager printed when it started, then:
        </span>
      </p>
      <For each={places}>
        {(place) => (
          <details>
            <summary>{place.name}</summary>
            <ol>
              <For each={place.steps}>{(step) => <li>{step}</li>}</For>
            </ol>
          </details>
        )}
      </For>
    </Show>
    <Show when={props.totp}>
      <p class="muted">An authenticator app works here as it is.</p>
    </Show>
  </div>
)
