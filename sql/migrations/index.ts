/** All migrations in order; a number is never reused and an entry never edited once landed. */
import { foundation } from "./0001_foundation.ts"
import { jobs } from "./0002_jobs.ts"
import { groups } from "./0003_groups.ts"
import { windows } from "./0004_windows.ts"
import { discovery } from "./0005_discovery.ts"
import { enrolments } from "./0006_enrolments.ts"
import { housekeeping } from "./0007_housekeeping.ts"
import { alarms } from "./0008_alarms.ts"
import { blame } from "./0009_blame.ts"
import { sessions } from "./0010_sessions.ts"
import { factors } from "./0011_factors.ts"
import { users } from "./0012_users.ts"
import { roles } from "./0013_roles.ts"
import { audit } from "./0014_audit.ts"
import { network } from "./0015_network.ts"
import { sso } from "./0016_sso.ts"
import { passkeys } from "./0017_passkeys.ts"
import { enrolmentScope } from "./0018_enrolments.ts"
import { signInTries } from "./0019_signInTries.ts"

export interface Migration {
  readonly number: number
  readonly name: string
  readonly statements: string
}

export const migrations: ReadonlyArray<Migration> = [
  { number: 1, name: "foundation", statements: foundation },
  { number: 2, name: "jobs", statements: jobs },
  { number: 3, name: "groups", statements: groups },
  { number: 4, name: "windows", statements: windows },
  { number: 5, name: "discovery", statements: discovery },
  { number: 6, name: "enrolments", statements: enrolments },
  { number: 7, name: "housekeeping", statements: housekeeping },
  { number: 8, name: "alarms", statements: alarms },
  { number: 9, name: "blame", statements: blame },
  { number: 10, name: "sessions", statements: sessions },
  { number: 11, name: "factors", statements: factors },
  { number: 12, name: "users", statements: users },
  { number: 13, name: "roles", statements: roles },
  { number: 14, name: "audit", statements: audit },
  { number: 15, name: "network", statements: network },
  { number: 16, name: "sso", statements: sso },
  { number: 17, name: "passkeys", statements: passkeys },
  { number: 18, name: "enrolments", statements: enrolmentScope },
  { number: 19, name: "sign_in_tries", statements: signInTries }
]
