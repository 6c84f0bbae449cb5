/**
 * Why a call to an agent failed, as one closed list.
 * The words are what an operator reads on the host's page; the details of one failure are added by the agent client.
 */
import { Schema } from "effect"

export const AgentFailureKind = Schema.Literals([
  "refused",
  "connect_timeout",
  "timed_out",
  "connection_lost",
  "unreachable_network",
  "name_not_found",
  "wrong_authority",
  "certificate_expired",
  "certificate_not_yet_valid",
  "wrong_name",
  "wrong_identity",
  "certificate_unusable",
  "certificate_revoked",
  "manager_certificate_expired",
  "protocol_error",
  "not_tls",
  "client_certificate_refused",
  "too_large",
  "rate_limited",
  "rejected",
  "agent_error",
  "not_found",
  "unreadable_answer",
  "busy"
])
export type AgentFailureKind = typeof AgentFailureKind.Type

/** What each failure means and what to do about it. */
export const agentFailureWords: Record<AgentFailureKind, string> = {
  refused: "Nothing listens on the agent's port. Start linux-patch-api on the host or correct the port.",
  connect_timeout:
    "No connection within the deadline. Check that the host is up and no firewall drops the agent's port.",
  timed_out: "The agent took the connection but did not answer in time. Look at the agent's log on the host.",
  connection_lost: "The connection broke before the answer was complete. The manager asks again.",
  unreachable_network: "There is no route to the host. Check its address and the network between.",
  name_not_found: "The host's name cannot be resolved. Correct the name or register the host by address.",
  wrong_authority:
    "The agent's certificate was not issued by this manager. Issue a host certificate here and install it on the host.",
  certificate_expired: "The agent's certificate has expired. Issue a new host certificate and install it on the host.",
  certificate_not_yet_valid: "The agent's certificate is not valid yet. Check the clocks of host and manager.",
  wrong_name: "The agent's certificate names another host or address. Issue a certificate for the registered address.",
  wrong_identity:
    "The agent presents the certificate of another registered host. Find out which machine answers at this address.",
  certificate_unusable:
    "The agent's certificate is not made for a server. Issue a host certificate here and install it.",
  certificate_revoked:
    "The agent presents a certificate that was replaced by a newer one. Install the newest host certificate on the host.",
  manager_certificate_expired:
    "The manager's own client certificate or its CA has ended, so no host is called. Renew it: restart the web process.",
  protocol_error: "The agent does not speak TLS 1.3. Update the agent.",
  not_tls: "Something other than a TLS server answers on the agent's port. Check the port.",
  client_certificate_refused:
    "The agent refuses the manager's certificate. Install this manager's CA certificate on the host and restart the agent.",
  too_large: "The agent's answer exceeds the size limit. Look at the agent's log on the host.",
  rate_limited: "The agent asks for fewer calls. The manager waits as long as it was told to.",
  rejected: "The agent rejected the request.",
  agent_error: "The agent reported an error of its own.",
  not_found: "The agent does not know what it was asked about.",
  unreadable_answer: "The agent's answer could not be read. Check the agent's version.",
  busy: "The agent is busy with other work. The manager tries again later."
}
