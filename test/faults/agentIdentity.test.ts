import { describe } from "vitest"
import { faultRow } from "./row.ts"
import { f28, f29, f30, f31 } from "./rows/agentIdentity.ts"

describe("manager and agent: who is who", () => {
  faultRow("F28", "a certificate of another CA, self-signed, expired, not yet valid or revoked", {}, f28)
  faultRow("F29", "another host's valid certificate at this address", {}, f29)
  faultRow("F30", "two hosts swap addresses, and one moves", {}, f30)
  faultRow("F31", "our own client certificate ends", {}, f31)
})
