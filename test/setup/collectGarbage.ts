/** Collects what nobody refers to any more, so that a comparison of heaps compares what is held. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

export const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  collect()
}
