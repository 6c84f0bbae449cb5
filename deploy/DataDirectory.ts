import { createHash } from "node:crypto"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The files of one instance. Everything secret lies in `secrets` (0700), each file 0600. */
export interface DataFiles {
  readonly secrets: string
  readonly caCertificate: string
  readonly jwtKey: string
  /** Where the running instance's database is, for the command line. */
  readonly databaseUrl: string
  /** The worker's address, where it holds a password. */
  readonly workerDatabaseUrl: string
  readonly initialAdminPassword: string
  readonly auditCheckpoints: string
  readonly postgres: string
  readonly postgresLocation: string
  readonly fleet: string
  readonly fleetRegistered: string
  readonly fleetControl: string
}

/** The kernel takes 107 bytes for the path of a unix socket; a longer one moves to the temporary folder. */
const socketPath = (path: string): string =>
  Buffer.byteLength(path) <= 107
    ? path
    : join(tmpdir(), `pm-${createHash("sha256").update(path).digest("hex").slice(0, 16)}.sock`)

/** Where they lie inside the data directory. */
export const dataFiles = (dataDir: string): DataFiles => ({
  secrets: join(dataDir, "secrets"),
  caCertificate: join(dataDir, "ca.crt"),
  jwtKey: join(dataDir, "secrets", "jwt.ed25519.pem"),
  databaseUrl: join(dataDir, "secrets", "database-url"),
  workerDatabaseUrl: join(dataDir, "secrets", "worker-database-url"),
  initialAdminPassword: join(dataDir, "initial-admin-password"),
  auditCheckpoints: join(dataDir, "audit-checkpoints.ndjson"),
  postgres: join(dataDir, "postgres"),
  postgresLocation: join(dataDir, "postgres.location"),
  fleet: join(dataDir, "fleet"),
  fleetRegistered: join(dataDir, "fleet-registered.json"),
  fleetControl: socketPath(join(dataDir, "fleet", "control.sock"))
})
