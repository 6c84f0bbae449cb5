/** Adds an identity provider, switched off, or edits one. */
import { createSignal, Show, untrack, type JSX } from "solid-js"
import type { SsoKind, SsoProvider } from "#core/Sso.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { changeSsoProvider, createSsoProvider } from "../api/ssoProviders.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { Segments } from "../kit/Segments.tsx"
import { say } from "../kit/toasts.ts"
import { MappingEditor } from "./MappingEditor.tsx"
import { changeOf, draftOf, isReady, newProviderOf, type ProviderDraft } from "./providerDraft.ts"
import styles from "./Sso.module.css"

type TextKey = Exclude<keyof ProviderDraft, "kind" | "mappings">

const kinds: Readonly<Record<SsoKind, string>> = { entra: "Microsoft Entra", oidc: "Another (OpenID Connect)" }

export default function ProviderDialog(props: {
  provider?: SsoProvider
  kind: SsoKind
  onClose: () => void
  onStored: (provider: SsoProvider) => void
}): JSX.Element {
  const provider = untrack(() => props.provider)
  const [draft, setDraft] = createSignal(
    draftOf(
      provider,
      untrack(() => props.kind)
    )
  )
  const set = (part: Partial<ProviderDraft>): void => void setDraft({ ...draft(), ...part })
  const key = crypto.randomUUID()
  const submit = async (): Promise<void> => {
    const stored =
      provider === undefined
        ? await createSsoProvider(newProviderOf(draft()), key)
        : await changeSsoProvider(provider, changeOf(provider, draft()))
    void queryClient.invalidateQueries({ queryKey: keys.ssoProviders })
    say(
      provider === undefined
        ? `${stored.name} is added, switched off. Test the connection next.`
        : `${stored.name} is changed`
    )
    props.onStored(stored)
  }
  const Text = (field: {
    name: TextKey
    label: string
    hint?: string
    mono?: boolean
    placeholder?: string
    max: number
  }) => (
    <div class="field">
      <label for={`sso-${field.name}`}>{field.label}</label>
      <input
        class={field.mono === true ? "inp mono" : "inp"}
        id={`sso-${field.name}`}
        autocomplete="off"
        spellcheck={false}
        maxlength={field.max}
        placeholder={field.placeholder ?? ""}
        aria-describedby={field.hint === undefined ? undefined : `sso-${field.name}-hint`}
        value={draft()[field.name]}
        onInput={(event) => set({ [field.name]: event.currentTarget.value })}
      />
      <Show when={field.hint}>
        <span class="hint" id={`sso-${field.name}-hint`}>
          {field.hint}
        </span>
      </Show>
    </div>
  )
  return (
    <FormDialog
      title={provider === undefined ? "Add identity provider" : `Edit ${provider.name}`}
      act={provider === undefined ? "Add provider" : "Change provider"}
      size="wide"
      ready={isReady(draft()) && (provider === undefined || Object.keys(changeOf(provider, draft())).length > 0)}
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <Show when={provider === undefined}>
        <Segments
          label="Kind of provider"
          names={["entra", "oidc"] as const}
          words={(kind) => kinds[kind]}
          current={draft().kind}
          onPick={(kind) => setDraft({ ...draftOf(undefined, kind), client_id: draft().client_id })}
        />
      </Show>
      <Text name="name" label="Name" max={80} hint="On the button of the sign-in page." placeholder="Company sign-in" />
      <Show
        when={draft().kind === "entra"}
        fallback={
          <Text
            name="issuer"
            label="Issuer"
            mono
            max={500}
            placeholder="https://id.example.org/realms/staff"
            hint="As the provider itself writes it, to the letter."
          />
        }
      >
        <Text
          name="tenant_id"
          label="Directory (tenant) id"
          mono
          max={36}
          placeholder="8f2c1a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
          hint="On the overview page of the app registration. Only people of this one tenant are let in."
        />
      </Show>
      <div class={styles["pair"]}>
        <Text name="client_id" label="Application (client) id" mono max={300} />
        <div class="field">
          <label for="sso-secret">Client secret</label>
          <input
            class="inp mono"
            id="sso-secret"
            type="password"
            autocomplete="new-password"
            maxlength="2000"
            placeholder={provider?.has_client_secret === true ? "Stored; type to replace it" : ""}
            aria-describedby="sso-secret-hint"
            value={draft().client_secret}
            onInput={(event) => set({ client_secret: event.currentTarget.value })}
          />
          <span class="hint" id="sso-secret-hint">
            Kept sealed and never shown again.
          </span>
        </div>
      </div>
      <MappingEditor
        mappings={draft().mappings}
        hint={
          draft().kind === "entra"
            ? "Name groups by their object id in Entra."
            : "Name groups as the provider's token does."
        }
        onChange={(mappings) => set({ mappings })}
      />
      <details>
        <summary>Claims, second factor and certificate</summary>
        <div class={`form ${styles["more"]}`}>
          <div class={styles["pair"]}>
            <Text
              name="group_claim"
              label="Group claim"
              mono
              max={200}
              hint="The claim of the id token that lists groups."
            />
            <Text name="scopes" label="Scopes" mono max={1000} hint="Asked of the provider, with spaces between." />
          </div>
          <Text
            name="accepted_acr"
            label="Accepted acr values"
            mono
            max={2000}
            hint="Where the token's acr is one of these, or its amr names mfa, otp or a hardware key, the sign-in counts as a second factor. Otherwise ours is asked for."
          />
          <Show when={draft().kind === "oidc"}>
            <Text
              name="tenant_id"
              label="Tenant id"
              mono
              max={36}
              hint="Where given, the token's tid has to be this one."
            />
          </Show>
          <div class="field">
            <label for="sso-ca">CA certificate</label>
            <textarea
              class={`inp ${styles["pem"]}`}
              id="sso-ca"
              spellcheck={false}
              placeholder="-----BEGIN CERTIFICATE-----"
              aria-describedby="sso-ca-hint"
              value={draft().ca_certificate}
              onInput={(event) => set({ ca_certificate: event.currentTarget.value })}
            />
            <span class="hint" id="sso-ca-hint">
              Only for a provider with a certificate of a private authority; it is then trusted instead of the public
              ones.
            </span>
          </div>
        </div>
      </details>
    </FormDialog>
  )
}
