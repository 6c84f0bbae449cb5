/** Which hosts are chosen: some by name, or all that match the filter but a few. Pure. */

export type Selection =
  | { readonly kind: "some"; readonly ids: ReadonlySet<string> }
  | { readonly kind: "all"; readonly except: ReadonlySet<string> }

export const nothing: Selection = { kind: "some", ids: new Set() }
export const everything: Selection = { kind: "all", except: new Set() }

export const isSelected = (selection: Selection, id: string): boolean =>
  selection.kind === "some" ? selection.ids.has(id) : !selection.except.has(id)

/** Chooses or leaves these hosts. */
export const choose = (selection: Selection, ids: ReadonlyArray<string>, on: boolean): Selection => {
  const set = new Set(selection.kind === "some" ? selection.ids : selection.except)
  for (const id of ids) {
    if ((selection.kind === "some") === on) set.add(id)
    else set.delete(id)
  }
  return selection.kind === "some" ? { kind: "some", ids: set } : { kind: "all", except: set }
}

export const sizeOf = (selection: Selection, total: number): number =>
  selection.kind === "some" ? selection.ids.size : Math.max(0, total - selection.except.size)
