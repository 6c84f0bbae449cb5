/** What signed checkpoints say about the rows: the chain alone does not see a cut tail or a suffix that was hashed anew. */
import { type Finding, finding } from "./Finding.ts"
import type { ChainEnd } from "./judgeChain.ts"

export interface CheckpointFacts {
  /** The highest checkpoint that names its row's hash; 0 without one. */
  readonly lastGood: number
  /** The lowest that names another hash, or null. */
  readonly firstBad: number | null
  /** The highest of all whose signature holds. */
  readonly highest: number
  /** The highest of those in the database itself. */
  readonly highestInside: number
}

/** `start`: the number of the last pruned row; `found`: what the rows alone have shown. */
export const judgeCheckpoints = (
  facts: CheckpointFacts,
  start: number,
  last: ChainEnd,
  head: ChainEnd,
  found: ReadonlyArray<Finding>
): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const { firstBad, highest, highestInside, lastGood } = facts
  if (firstBad !== null && !found.some(({ first_seq }) => first_seq <= firstBad)) {
    if (lastGood > start) findings.push(finding("suffix_rehashed", lastGood + 1, `It was signed for row ${firstBad}.`))
    else findings.push(finding("log_replaced", start + 1))
  }
  // A head that names a later row than there is has been told already.
  if (highest > last.seq && head.seq <= last.seq && findings.length === 0) {
    const kind = highestInside > last.seq ? "tail_cut_head_rewritten" : "log_replaced"
    findings.push(finding(kind, last.seq + 1, `The newest checkpoint was signed for row ${highest}.`))
  }
  return findings
}
