import { join } from "node:path"

/** The files of one instance. Everything secret lies in `secrets` (0700), each file 0600. */
export interface DataFiles {
  readonly secrets: string
  readonly caCertificate: string
  readonly initialAdminPassword: string
  readonly postgres: string
  readonly postgresLocation: string
  readonly fleet: string
  readonly fleetControl: string
}

/** Where they lie inside the data directory. */
export const dataFiles = (dataDir: string): DataFiles => ({
  secrets: join(dataDir, "secrets"),
  caCertificate: join(dataDir, "ca.crt"),
  initialAdminPassword: join(dataDir, "initial-admin-password"),
  postgres: join(dataDir, "postgres"),
  postgresLocation: join(dataDir, "postgres.location"),
  fleet: join(dataDir, "fleet"),
  fleetControl: join(dataDir, "fleet", "control.sock")
})
