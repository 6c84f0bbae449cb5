/** A certificate with its private key, shown this once; the manager keeps no copy of the key. */
import type { JSX } from "solid-js"
import type { IssuedCertificate } from "#core/Host.ts"
import { colonHex } from "../api/readPemCertificate.ts"
import { CopyButton } from "../kit/CopyButton.tsx"
import { download } from "../kit/download.ts"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import styles from "./IssuedOnce.module.css"

const File = (props: { name: string; words: string; text: string }): JSX.Element => (
  <li class={styles["file"]}>
    <span class="mono">{props.name}</span>
    <span class="muted trunc">{props.words}</span>
    <CopyButton text={props.text} label={`Copy ${props.name}`} words="Copy" />
    <button class="btn s" type="button" onClick={() => download(props.name, props.text)}>
      <Icon name="download" />
      Download
    </button>
  </li>
)

export const IssuedOnce = (props: { issued: IssuedCertificate; name: string }): JSX.Element => (
  <>
    <div class="banner">
      <Icon name="warning" />
      <p>The private key is shown once and kept nowhere. Download all three files before you go on.</p>
    </div>
    <ul class={styles["files"]}>
      <File name="server.pem" words={`Certificate of ${props.name}`} text={props.issued.certificate_pem} />
      <File name="server.key.pem" words="Private key" text={props.issued.private_key_pem} />
      <File name="ca.pem" words="The manager's root certificate" text={props.issued.ca_pem} />
    </ul>
    <p class="muted sm">
      SHA-256 <span class="mono">{colonHex(props.issued.certificate.fingerprint_sha256)}</span>, valid until{" "}
      <Time at={props.issued.certificate.not_after} as="day" />
    </p>
    <div class={styles["head"]}>
      <h3>In a root shell on the host, where the files are</h3>
      <CopyButton text={props.issued.install_commands} label="Copy commands" words="Copy" />
    </div>
    <pre class={styles["commands"]} tabIndex={0}>
      {props.issued.install_commands}
    </pre>
  </>
)
