/** A provider as it stands in the form, and what is sent of it. */
import type { GroupId } from "#core/Ids.ts"
import type { Role } from "#core/Permission.ts"
import type { NewSsoProvider, SsoKind, SsoMapping, SsoProvider, SsoProviderChange } from "#core/Sso.ts"

export interface MappingDraft {
  readonly provider_group: string
  readonly role: Role | null
  readonly group_ids: ReadonlyArray<GroupId>
}

export interface ProviderDraft {
  readonly kind: SsoKind
  readonly name: string
  readonly tenant_id: string
  readonly issuer: string
  readonly client_id: string
  /** Empty leaves the stored one as it is. */
  readonly client_secret: string
  readonly group_claim: string
  readonly scopes: string
  readonly accepted_acr: string
  readonly ca_certificate: string
  readonly mappings: ReadonlyArray<MappingDraft>
}

export const emptyMapping: MappingDraft = { provider_group: "", role: null, group_ids: [] }

export const draftOf = (provider: SsoProvider | undefined, kind: SsoKind): ProviderDraft =>
  provider === undefined
    ? {
        kind,
        name: kind === "entra" ? "Microsoft" : "",
        tenant_id: "",
        issuer: "",
        client_id: "",
        client_secret: "",
        group_claim: "groups",
        scopes: "openid profile email",
        accepted_acr: "",
        ca_certificate: "",
        mappings: [emptyMapping]
      }
    : {
        ...provider,
        tenant_id: provider.tenant_id ?? "",
        client_secret: "",
        scopes: provider.scopes.join(" "),
        accepted_acr: provider.accepted_acr.join(" "),
        ca_certificate: provider.ca_certificate ?? ""
      }

const words = (text: string): ReadonlyArray<string> => [...new Set(text.split(/\s+/).filter((word) => word !== ""))]

/** Rows without a name at the provider are only begun. */
const mappingsOf = ({ mappings }: ProviderDraft): ReadonlyArray<SsoMapping> =>
  mappings
    .map((mapping) => ({ ...mapping, provider_group: mapping.provider_group.trim() }))
    .filter(({ provider_group }) => provider_group !== "")

const common = (draft: ProviderDraft) => ({
  name: draft.name.trim(),
  tenant_id: draft.tenant_id.trim() === "" ? null : draft.tenant_id.trim(),
  client_id: draft.client_id.trim(),
  scopes: words(draft.scopes),
  group_claim: draft.group_claim.trim(),
  accepted_acr: words(draft.accepted_acr),
  ca_certificate: draft.ca_certificate.trim() === "" ? null : draft.ca_certificate,
  mappings: mappingsOf(draft),
  ...(draft.kind === "oidc" ? { issuer: draft.issuer.trim() } : {}),
  ...(draft.client_secret === "" ? {} : { client_secret: draft.client_secret })
})

export const newProviderOf = (draft: ProviderDraft): NewSsoProvider => ({ kind: draft.kind, ...common(draft) })

/** What was not touched is not sent: a certificate that stays asks for no secret. */
export const changeOf = (provider: SsoProvider, draft: ProviderDraft): SsoProviderChange => {
  const before: Readonly<Record<string, unknown>> = { ...provider }
  return Object.fromEntries(
    Object.entries(common(draft)).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key]))
  )
}

export const isReady = (draft: ProviderDraft): boolean =>
  draft.name.trim() !== "" &&
  draft.client_id.trim() !== "" &&
  draft.group_claim.trim() !== "" &&
  (draft.kind === "entra" ? draft.tenant_id : draft.issuer).trim() !== ""
