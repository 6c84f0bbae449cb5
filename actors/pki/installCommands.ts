/** What an administrator types on a host after downloading its certificate; paths are those of the agent's own configuration. */
import { isIPv4 } from "node:net"

const CERTIFICATES = "/etc/linux_patch_api/certs"
const WHITELIST = "/etc/linux_patch_api/whitelist.yaml"

export interface InstallRequest {
  /** IPv4 address the manager's calls come from, as the host sees it; anything else leaves a placeholder to fill in. */
  readonly managerAddress: string | null
}

/** Expects ca.pem, server.pem and server.key.pem in the current directory of a root shell on the host. */
export const installCommands = ({ managerAddress }: InstallRequest): string => {
  const entry = managerAddress !== null && isIPv4(managerAddress) ? managerAddress : "MANAGER_IPV4_ADDRESS"
  return [
    `install -d -m 0755 ${CERTIFICATES}`,
    `install -o root -g root -m 0644 ca.pem ${CERTIFICATES}/ca.pem`,
    `install -o root -g root -m 0644 server.pem ${CERTIFICATES}/server.pem`,
    `install -o root -g root -m 0600 server.key.pem ${CERTIFICATES}/server.key.pem`,
    `grep -q '^entries:' ${WHITELIST} 2>/dev/null || echo 'entries:' >> ${WHITELIST}`,
    `grep -qF '"${entry}"' ${WHITELIST} || sed -i '/^entries:/a\\  - "${entry}"' ${WHITELIST}`,
    "systemctl restart linux-patch-api.service",
    "shred -u server.key.pem"
  ].join("\n")
}
