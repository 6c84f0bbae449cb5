/** Groups of hosts. They bound what operators see; hosts without a group are open to every operator. */
import { Schema } from "effect"
import { GroupId, HostId, UserId } from "./Ids.ts"
import { Role } from "./Permission.ts"
import { Timestamp } from "./Timestamp.ts"

export const GroupName = Schema.String.check(Schema.isTrimmed(), Schema.isMinLength(1), Schema.isMaxLength(100))
const Description = Schema.String.check(Schema.isMaxLength(500))

export const NewGroup = Schema.Struct({
  name: GroupName,
  description: Schema.optionalKey(Description)
}).annotate({ identifier: "NewGroup" })
export type NewGroup = typeof NewGroup.Type

/** Keys left out stay as they are. */
export const GroupChange = Schema.Struct({
  name: Schema.optionalKey(GroupName),
  description: Schema.optionalKey(Description)
}).annotate({ identifier: "GroupChange" })
export type GroupChange = typeof GroupChange.Type

const item = {
  id: GroupId,
  name: Schema.String,
  description: Schema.String,
  hosts_total: Schema.Int,
  users_total: Schema.Int,
  created_at: Timestamp,
  /** Grows with each edit of name and description; the ETag. */
  version: Schema.Int
}

export const GroupItem = Schema.Struct(item).annotate({ identifier: "GroupItem" })
export type GroupItem = typeof GroupItem.Type

export const GroupDetail = Schema.Struct({
  ...item,
  /** Who belongs to the group, by user name. */
  users: Schema.Array(Schema.Struct({ id: UserId, username: Schema.String, role: Role }))
}).annotate({ identifier: "GroupDetail" })
export type GroupDetail = typeof GroupDetail.Type

/** The most hosts that one request names. */
export const MOST_GROUP_HOSTS = 2500

/** All of them exist, or nothing is changed. */
export const GroupHostIds = Schema.Struct({
  host_ids: Schema.Array(HostId).check(Schema.isMaxLength(MOST_GROUP_HOSTS), Schema.isUnique())
}).annotate({ identifier: "GroupHostIds" })
export type GroupHostIds = typeof GroupHostIds.Type

export const GroupHostsChanged = Schema.Struct({
  hosts_total: Schema.Int,
  added: Schema.Int,
  removed: Schema.Int
}).annotate({ identifier: "GroupHostsChanged" })
export type GroupHostsChanged = typeof GroupHostsChanged.Type

export const GroupUsers = Schema.Struct({
  usernames: Schema.Array(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64))).check(
    Schema.isMaxLength(500),
    Schema.isUnique()
  )
}).annotate({ identifier: "GroupUsers" })
export type GroupUsers = typeof GroupUsers.Type

/** What follows from deleting a group. */
export const GroupDeletion = Schema.Struct({
  /** Hosts that are in no other group: every operator sees them afterwards. */
  ungrouped: Schema.Array(Schema.Struct({ id: HostId, display_name: Schema.String })),
  /** To be repeated as `confirm_ungrouped`. */
  ungrouped_total: Schema.Int,
  hosts_total: Schema.Int,
  users_total: Schema.Int,
  /** Windows and blackouts of the group: they are deleted with it. */
  windows_total: Schema.Int,
  /** Holds of the group that run now and end with it. */
  holds_total: Schema.Int,
  /** Services that were looked at because of the group. */
  services: Schema.Array(Schema.String)
}).annotate({ identifier: "GroupDeletion" })
export type GroupDeletion = typeof GroupDeletion.Type
