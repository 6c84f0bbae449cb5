/** The guards of agent calls that a test may take away, to see that something rests on each. Production has no way to. */
export type AgentGuard =
  /** The certificate belongs to the registered host. */
  | "identity"
  /** A session is resumed only for the registration it was made for. */
  | "resumption_key"
  /** A call ends, with its socket, when its time is over. */
  | "deadline"
  /** An answer has a largest size. */
  | "size_limit"
  /** One call at a time to a host. */
  | "per_host_limit"
  /** Only addresses where agents may be are called. */
  | "egress"
