/** The certificate every agent has to trust, with its fingerprint worked out here from the file itself. */
import type { JSX } from "solid-js"
import { keys } from "../api/keys.ts"
import { readRootCertificate, ROOT_CERTIFICATE_PATH } from "../api/fleet.ts"
import { useData } from "../api/useData.ts"
import { CopyButton } from "../kit/CopyButton.tsx"
import { DataArea } from "../kit/DataArea.tsx"
import { download } from "../kit/download.ts"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import styles from "./RootCertificate.module.css"

const HALF = 16 * 3 - 1

export const RootCertificate = (): JSX.Element => {
  const certificate = useData(() => ({
    queryKey: keys.rootCertificate,
    queryFn: ({ signal }) => readRootCertificate(signal),
    staleTime: 60 * 60_000
  }))
  const command = (): string => `curl -fsSkO ${location.origin}${ROOT_CERTIFICATE_PATH}`
  return (
    <section class="card" aria-labelledby="h-root">
      <header>
        <h2 id="h-root">Root certificate</h2>
        {certificate.data?.not_after ? (
          <span class="muted sm">
            valid until <Time at={certificate.data.not_after} as="day" />
          </span>
        ) : null}
        <button
          class="btn s"
          type="button"
          disabled={certificate.data === undefined}
          onClick={() => download("root.crt", certificate.data?.pem ?? "")}
        >
          <Icon name="download" />
          root.crt
        </button>
      </header>
      <DataArea query={certificate} what="The root certificate" rows={2}>
        {(facts) => (
          <div class={styles["ca"]}>
            <div class={styles["fp"]}>
              <p>
                <span class="muted sm">SHA-256</span>
                <br />
                {facts().sha256.slice(0, HALF)}
                <br />
                {facts().sha256.slice(HALF + 1)}
              </p>
              <CopyButton text={facts().sha256} label="Copy fingerprint" />
            </div>
            <div class="code">
              <span class="trunc">{command()}</span>
              <CopyButton text={command()} label="Copy command" />
            </div>
            <p class="muted sm">Compare the fingerprint after the download, before anything trusts it.</p>
          </div>
        )}
      </DataArea>
    </section>
  )
}
