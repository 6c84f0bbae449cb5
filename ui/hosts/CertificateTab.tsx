/** The certificate this manager issued for the host: what it is, the file, and a new one. */
import { createSignal, Show, type JSX } from "solid-js"
import type { Certificate, IssuedCertificate } from "#core/Host.ts"
import { ApiError } from "../api/ApiError.ts"
import { issueCertificate, readCertificatePem } from "../api/hosts.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { colonHex } from "../api/readPemCertificate.ts"
import { may } from "../api/session.ts"
import { formatAge } from "../format/time.ts"
import { CopyButton } from "../kit/CopyButton.tsx"
import { Dialog } from "../kit/Dialog.tsx"
import { download } from "../kit/download.ts"
import { Icon } from "../kit/Icon.tsx"
import { now } from "../kit/now.ts"
import { Time } from "../kit/Time.tsx"
import { sayFailed } from "../kit/toasts.ts"
import { useHost } from "./HostContext.ts"
import { IssuedOnce } from "./IssuedOnce.tsx"
import styles from "./CertificateTab.module.css"

const SOON_MS = 30 * 24 * 60 * 60 * 1000

const Facts = (props: { of: Certificate }): JSX.Element => {
  const left = (): number => Date.parse(props.of.not_after) - now()
  return (
    <dl class={`kv ${styles["kv"]}`}>
      <dt>Subject</dt>
      <dd class="mono">{props.of.subject}</dd>
      <dt>Serial</dt>
      <dd class="mono">{props.of.serial}</dd>
      <dt>SHA-256</dt>
      <dd class={`mono ${styles["fp"]}`}>
        {colonHex(props.of.fingerprint_sha256)}
        <CopyButton text={colonHex(props.of.fingerprint_sha256)} label="Copy fingerprint" />
      </dd>
      <dt>Valid</dt>
      <dd>
        <Time at={props.of.not_before} as="day" /> to <Time at={props.of.not_after} as="day" />{" "}
        <Show when={left() < SOON_MS}>
          <span class={left() < 0 ? "st bad" : "st warn"}>
            <Icon name="warning" />
            {left() < 0 ? "expired" : `ends in ${formatAge(left())}`}
          </span>
        </Show>
      </dd>
      <dt>Issued</dt>
      <dd>
        <Time at={props.of.issued_at} /> by {props.of.issued_by}
      </dd>
      <Show when={props.of.revoked_at}>
        {(at) => (
          <>
            <dt>Revoked</dt>
            <dd class="bad">
              <Time at={at()} />
            </dd>
          </>
        )}
      </Show>
    </dl>
  )
}

export default function CertificateTab(): JSX.Element {
  const { host } = useHost()
  const [asking, setAsking] = createSignal(false)
  const [issued, setIssued] = createSignal<IssuedCertificate | null>(null)
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  let cancel: HTMLButtonElement | undefined
  const save = async (): Promise<void> => {
    try {
      download(`${host().display_name}.crt`, await readCertificatePem(host().id))
    } catch (cause) {
      sayFailed("The certificate was not downloaded", cause)
    }
  }
  const issue = async (): Promise<void> => {
    setBusy(true)
    setFault(null)
    try {
      setIssued(await issueCertificate(host().id))
      void queryClient.invalidateQueries({ queryKey: keys.host(host().id) })
    } catch (cause) {
      setFault(cause instanceof ApiError ? cause.message : String(cause))
    } finally {
      setBusy(false)
    }
  }
  const close = (): void => {
    setAsking(false)
    setIssued(null)
    setFault(null)
  }
  const again = (): boolean => host().certificate !== null
  return (
    <section class="card" aria-labelledby="h-certificate">
      <header class={styles["head"]}>
        <h2 id="h-certificate">Host certificate</h2>
        <Show when={host().certificate !== null && may("certificates:read")}>
          <button class="btn s" type="button" onClick={() => void save()}>
            <Icon name="download" />
            client.crt
          </button>
        </Show>
        <Show when={may("certificates:issue")}>
          <button class="btn s" type="button" onClick={() => setAsking(true)}>
            {again() ? "Issue new certificate…" : "Issue certificate…"}
          </button>
        </Show>
      </header>
      <Show
        when={host().certificate}
        fallback={
          <div class="empty">
            <b>No certificate issued</b>
            <p class="muted">
              The agent needs one of this manager before they can talk.{" "}
              {may("certificates:issue") ? "" : "An administrator has to issue it."}
            </p>
          </div>
        }
      >
        {(certificate) => <Facts of={certificate()} />}
      </Show>
      <Show when={host().bound_fingerprint}>
        {(fingerprint) => (
          <p class={`muted sm ${styles["bound"]}`}>
            Bound to the agent's own certificate, SHA-256 <span class="mono">{colonHex(fingerprint())}</span>.
          </p>
        )}
      </Show>
      <Show when={asking()}>
        <Dialog
          open
          onClose={close}
          title={`Issue ${again() ? "a new certificate" : "a certificate"} for ${host().display_name}`}
          size={issued() === null ? "small" : "wide"}
          focus={() => cancel}
          keep={issued() !== null}
        >
          <Show
            when={issued()}
            fallback={
              <>
                <p class="muted">
                  A new key is made and shown once.{" "}
                  {again()
                    ? "The old certificate is refused from now on: the host is out of reach until you install the new one there."
                    : "Install it on the host with the commands you are given."}
                </p>
                <Show when={fault()}>
                  {(words) => (
                    <p class="fault" role="alert">
                      {words()}
                    </p>
                  )}
                </Show>
                <div class="actions end">
                  <button class="btn" type="button" ref={cancel} onClick={close}>
                    Cancel
                  </button>
                  <button class="btn primary" type="button" disabled={busy()} onClick={() => void issue()}>
                    Issue certificate
                  </button>
                </div>
              </>
            }
          >
            {(once) => (
              <>
                <IssuedOnce issued={once()} name={host().display_name} />
                <div class="actions end">
                  <button class="btn primary" type="button" onClick={close}>
                    I have kept the key
                  </button>
                </div>
              </>
            )}
          </Show>
        </Dialog>
      </Show>
    </section>
  )
}
