/** What the host's tabs share: the host as it is now, and the way to the "Apply now" dialog. */
import { createContext, useContext } from "solid-js"
import type { HostDetail } from "#core/Host.ts"

export interface HostOnPage {
  readonly host: () => HostDetail
  /** Names preselect packages. */
  readonly apply: (names?: ReadonlyArray<string>) => void
}

export const HostContext = createContext<HostOnPage>()

export const useHost = (): HostOnPage => {
  const context = useContext(HostContext)
  if (context === undefined) throw new Error("A host's tab stands outside of a host's page.")
  return context
}
