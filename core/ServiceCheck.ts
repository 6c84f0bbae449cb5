/** Services that have to be up before and after a host is patched, as people declare them. */
import { Schema } from "effect"
import { GroupId } from "./Ids.ts"

/** More would make every run wait for them: one call to the agent each, before and after. */
export const MOST_SERVICE_CHECKS = 5

/** As agents take it at `/system/services/{name}`. */
export const ServiceName = Schema.String.check(
  Schema.isMaxLength(256),
  Schema.isPattern(/^[a-zA-Z0-9][a-zA-Z0-9_.@+-]*$/, {
    expected: "a unit's name, such as nginx, postgresql@16-main or cron.service"
  })
)

const unitTypes = /\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/

/** One word for one unit: `nginx.service` is `nginx`, which OpenRC knows as well. */
export const serviceName = (name: string): string => {
  const bare = name.endsWith(".service") ? name.slice(0, -".service".length) : name
  return bare === "" || unitTypes.test(bare) ? name : bare
}

/** Without what was named twice, in the order given. */
export const distinctServices = (names: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(names.map(serviceName))
]

/** An empty list takes the declaration back. */
export const ServiceCheckChange = Schema.Struct({
  services: Schema.Array(ServiceName).check(Schema.isMaxLength(MOST_SERVICE_CHECKS))
}).annotate({ identifier: "ServiceCheckChange" })
export type ServiceCheckChange = typeof ServiceCheckChange.Type

export const GroupServiceChecks = Schema.Struct({ services: Schema.Array(Schema.String) }).annotate({
  identifier: "GroupServiceChecks"
})
export type GroupServiceChecks = typeof GroupServiceChecks.Type

/** The host's own replace those of its groups; several groups add up. */
export const HostServiceChecks = Schema.Struct({
  /** Declared for this host alone; empty where its groups decide. */
  own: Schema.Array(Schema.String),
  /** Without id and name for a group that the caller may not see. */
  from_groups: Schema.Array(
    Schema.Struct({
      group_id: Schema.NullOr(GroupId),
      group_name: Schema.NullOr(Schema.String),
      services: Schema.Array(Schema.String)
    })
  ),
  /** What is looked at before and after a run. */
  effective: Schema.Array(Schema.String),
  decided_by: Schema.Literals(["host", "groups", "nobody"])
}).annotate({ identifier: "HostServiceChecks" })
export type HostServiceChecks = typeof HostServiceChecks.Type
