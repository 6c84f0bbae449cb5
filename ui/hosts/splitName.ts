/** A host's own label and the domain after it; an address stays whole. */
export const splitName = (name: string): readonly [first: string, rest: string] => {
  const dot = /^[0-9.]+$/.test(name) ? -1 : name.indexOf(".")
  return dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot)]
}
