#!/usr/bin/env node
/**
 * Verifies an export of the audit log, alone and offline: node verify-audit.mjs EXPORT --key PUB.PEM [--checkpoints FILE]
 *
 * EXPORT       what "Export" on the Audit page, GET /api/v1/audit/export or `patch-manager audit export` gave
 * --key        public keys that count, as `patch-manager audit key` gave them when you still trusted the machine
 * --checkpoints  the checkpoints kept outside of the database (audit-checkpoints.ndjson, or lines of the journal)
 *
 * Shares no code with the manager and needs nothing but Node 20. Exit code 0: nothing found; 2: findings; 1: could not be done.
 */
import { createHash, createPublicKey, verify } from "node:crypto"
import { createReadStream, readFileSync } from "node:fs"
import { createInterface } from "node:readline"

const ZEROS = "0".repeat(64)
const FIELDS =
  "seq at actor_kind actor_id actor_name action object_type object_id before after request_id source_address prev_hash".split(
    " "
  )

const sha256 = (text) => createHash("sha256").update(text, "utf8").digest("hex")
const netstring = (value) => (value === null ? "-" : `${Buffer.byteLength(String(value), "utf8")}:${value}`)
const rowHash = (row) => sha256(FIELDS.map((name) => netstring(row[name])).join(""))
const stop = (message) => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

const options = { key: undefined, checkpoints: undefined }
let exported
for (let args = process.argv.slice(2); args.length > 0;) {
  const arg = args.shift()
  if (arg === "--key" || arg === "--checkpoints") options[arg.slice(2)] = args.shift()
  else exported = arg
}
if (exported === undefined || options.key === undefined) {
  stop("Use: node verify-audit.mjs EXPORT --key PUB.PEM [--checkpoints FILE]")
}

const keys = new Map()
for (const pem of readFileSync(options.key, "utf8").match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ??
  []) {
  const key = createPublicKey(pem)
  keys.set(
    createHash("sha256")
      .update(key.export({ type: "spki", format: "der" }))
      .digest("hex")
      .slice(0, 16),
    key
  )
}
if (keys.size === 0) stop(`${options.key} holds no public key.`)

const signedText = (c) =>
  `patch-manager audit checkpoint 1\norigin ${c.origin}\nsize ${c.size}\nrow_hash ${c.row_hash}\ntime ${c.signed_at}\nprevious ${c.previous}\n`
const isSigned = (c) => {
  const key = keys.get(c.key_id)
  return key !== undefined && verify(null, Buffer.from(signedText(c)), key, Buffer.from(String(c.signature), "base64"))
}

const findings = []
const found = (kind, seq, words) => findings.push({ kind, first_seq: seq, words })
const notices = []

/** Row hashes that valid signatures vouch for, by row number, and where each was seen. */
const vouched = new Map()
const inExport = new Set()
const kept = new Set()
const origins = new Set()
let highestKept = 0
let highestExported = 0
const takeCheckpoint = (c, place, start, from) => {
  if (!Number.isInteger(c.size) || c.size < start) return false
  const known = vouched.get(c.size)
  if (!isSigned(c) || (known !== undefined && known !== c.row_hash)) {
    found("checkpoint_altered", c.size, `the checkpoint for row ${c.size} ${place} is not as it was signed`)
    return false
  }
  origins.add(c.origin)
  vouched.set(c.size, c.row_hash)
  from.add(c.size)
  return true
}

/** Lines of the file outside, or of a journal: whatever stands around the JSON is skipped. */
const readKept = async (start) => {
  if (options.checkpoints === undefined) return
  const digests = new Set()
  let time = ""
  let number = 0
  for await (const line of createInterface({
    input: createReadStream(options.checkpoints, "utf8"),
    crlfDelay: Infinity
  })) {
    number += 1
    const at = line.indexOf('{"origin"')
    if (line.trim() === "") continue
    let c
    try {
      c = JSON.parse(
        line
          .slice(at < 0 ? 0 : at)
          .replaceAll('\\"', '"')
          .replace(/}[^}]*$/, "}")
      )
    } catch {
      found("checkpoint_altered", highestKept + 1, `line ${number} of ${options.checkpoints} is no checkpoint`)
      continue
    }
    if (takeCheckpoint(c, `in line ${number} of ${options.checkpoints}`, start, kept)) {
      if (digests.size > 0 && !digests.has(c.previous)) {
        found("checkpoint_altered", c.size, `a checkpoint before line ${number} of ${options.checkpoints} is gone`)
      }
      if (c.signed_at < time) notices.push(`the checkpoint for row ${c.size} was signed before the one in front of it`)
      time = c.signed_at
      highestKept = Math.max(highestKept, c.size)
    }
    digests.add(sha256(signedText(c)))
  }
}

/** A row that does not fit: by number, link or hash. Runs of neighbours are one deed. */
const odd = []
let header
let last
let rows = 0
let lastGood = 0
let firstBad = null
let ended = false
const judgeRow = (row) => {
  const seq = Number(row.seq)
  const computed = rowHash(row)
  if (computed !== row.row_hash || row.prev_hash !== last.hash || seq !== last.seq + 1) {
    if (odd.length < 200) odd.push({ row, seq, computed, own: computed === row.row_hash, before: last })
  }
  if (last.at !== undefined && row.at < last.at) notices.push(`row ${seq} is older than the row before it`)
  const promised = vouched.get(seq)
  if (promised !== undefined) {
    if (promised !== row.row_hash) firstBad ??= seq
    else if (firstBad === null) lastGood = seq
  }
  last = { seq, hash: row.row_hash, at: row.at }
  rows += 1
}
const hashAs = (row, changes) => rowHash({ ...row, ...changes })
const findSwap = (list) => {
  const altered = list.filter((one) => !one.own).slice(0, 40)
  for (let a = 0; a < altered.length; a += 1) {
    for (let b = a + 1; b < altered.length; b += 1) {
      const [x, y] = [altered[a].row, altered[b].row]
      const moved = hashAs(x, { seq: y.seq }) === x.row_hash && hashAs(y, { seq: x.seq }) === y.row_hash
      const bodies =
        hashAs(x, { seq: y.seq, prev_hash: y.prev_hash }) === y.row_hash &&
        hashAs(y, { seq: x.seq, prev_hash: x.prev_hash }) === x.row_hash
      if (moved || bodies) return altered[a].seq
    }
  }
  return null
}
const judgeRun = (run) => {
  const [first, second] = run
  const doubled = run.find((one) => one.seq === one.before.seq)
  if (doubled) return found("sequence_doubled", doubled.seq, `there is more than one row ${doubled.seq}`)
  const missing = first.before.seq + 1
  if (first.seq > missing) {
    return first.row.prev_hash === first.before.hash
      ? found("sequence_gap", missing, `there is no row ${missing}, though the chain goes on`)
      : found("row_deleted", missing, `row ${missing} was deleted`)
  }
  const swap = findSwap(run)
  if (swap !== null) return found("rows_swapped", swap, `row ${swap} and a later one were swapped`)
  const pushed = run.find((one) => !one.own && hashAs(one.row, { seq: one.seq - 1 }) === one.row.row_hash)
  if (pushed) return found("row_inserted", pushed.seq - 1, `row ${pushed.seq - 1} was inserted`)
  const pulled = run.find((one) => !one.own && hashAs(one.row, { seq: one.seq + 1 }) === one.row.row_hash)
  if (pulled) return found("row_deleted", pulled.seq, `row ${pulled.seq} was deleted and the rest numbered anew`)
  if (first.own) return found("hash_altered", first.before.seq, `the hash of row ${first.before.seq} was altered`)
  const next = second?.row.prev_hash ?? (header.head.seq === first.seq ? header.head.row_hash : first.row.row_hash)
  return next === first.computed
    ? found("hash_altered", first.seq, `the hash of row ${first.seq} was altered`)
    : found("body_altered", first.seq, `row ${first.seq} was altered after it was written`)
}
const judgeChain = () => {
  const runs = []
  for (const one of odd) {
    const run = runs.at(-1)
    if (run !== undefined && run.at(-1).seq === one.before.seq) run.push(one)
    else runs.push([one])
  }
  for (const run of runs) judgeRun(run)
  const altered = findings.filter(({ kind }) => kind === "body_altered")
  const apart = altered.length > 1 ? findSwap(odd) : null
  if (apart === null) return
  for (const one of altered) findings.splice(findings.indexOf(one), 1)
  found("rows_swapped", apart, `row ${apart} and a later one were swapped`)
}
const judgeEnd = (known) => {
  const { head } = header
  if (!header.whole) return
  if (head.seq > last.seq)
    found("tail_cut", last.seq + 1, `rows from ${last.seq + 1} on are gone, the head names row ${head.seq}`)
  else if (head.seq < last.seq) found("row_inserted", head.seq + 1, `row ${head.seq + 1} is not known to the head`)
  else if (head.row_hash !== last.hash && known === 0) {
    found("hash_altered", last.seq, `the head has another hash than row ${last.seq}`)
  }
}
const judgeCheckpoints = (rowFindings) => {
  let told = false
  if (firstBad !== null && !rowFindings.some(({ first_seq }) => first_seq <= firstBad)) {
    told = true
    if (lastGood > header.anchor.seq) {
      found(
        "suffix_rehashed",
        lastGood + 1,
        `rows were hashed anew between ${lastGood + 1} and ${firstBad}, which was signed for`
      )
    } else found("log_replaced", header.from_seq, "no signed checkpoint fits: it is another log")
  }
  const highest = Math.max(highestKept, highestExported)
  if (header.whole && highest > last.seq && header.head.seq <= last.seq && !told) {
    const kind = highestExported > last.seq ? "tail_cut_head_rewritten" : "log_replaced"
    found(kind, last.seq + 1, `a checkpoint was signed for row ${highest}, the log ends at row ${last.seq}`)
  }
  for (const size of kept) {
    if (size < highestExported && size >= header.from_seq && size <= header.to_seq && !inExport.has(size)) {
      found("checkpoint_altered", size, `the checkpoint for row ${size} is gone from the database`)
    }
  }
  for (const size of inExport) {
    if (kept.size > 0 && !kept.has(size) && size < highestKept) {
      found("checkpoint_altered", size, `the checkpoint for row ${size} is gone from ${options.checkpoints}`)
    }
  }
  const { anchor } = header
  if (anchor.seq > 0 && header.from_seq === anchor.seq + 1 && vouched.get(anchor.seq) !== anchor.row_hash) {
    found("anchor_altered", anchor.seq + 1, `no signed checkpoint names the last pruned row ${anchor.seq}`)
  }
  for (const origin of origins) {
    if (origin !== header.origin)
      found(
        "log_replaced",
        header.from_seq,
        `checkpoints are of installation ${origin}, the export is of ${header.origin}`
      )
  }
}
const take = (line, number) => {
  let value
  try {
    value = JSON.parse(line)
  } catch {
    stop(`Line ${number} of ${exported} is no JSON: it is not a whole export.`)
  }
  if (value.type === "checkpoint") {
    if (takeCheckpoint(value, "in the export", 0, inExport)) highestExported = Math.max(highestExported, value.size)
  } else if (value.type === "row") judgeRow(value)
  else if (value.type === "end") ended = value.rows === rows
}
let number = 0
for await (const line of createInterface({ input: createReadStream(exported, "utf8"), crlfDelay: Infinity })) {
  number += 1
  if (number > 1) {
    take(line, number)
    continue
  }
  header = JSON.parse(line)
  if (header.type !== "header" || header.format !== "patch-manager-audit/1")
    stop(`${exported} is no export of the audit log.`)
  last = {
    seq: header.from_seq - 1,
    hash: header.from_seq === header.anchor.seq + 1 ? header.anchor.row_hash : header.from_hash
  }
  await readKept(header.anchor.seq)
}
if (header === undefined) stop(`${exported} is empty.`)
if (!ended) stop(`${exported} breaks off: export it again.`)

const ofRows = () => findings.filter(({ kind }) => kind !== "checkpoint_altered")
judgeChain()
judgeEnd(ofRows().length)
judgeCheckpoints(ofRows())
findings.sort((a, b) => a.first_seq - b.first_seq)

const say = (text) => process.stdout.write(`${text}\n`)
say(
  `installation ${header.origin}, rows ${header.from_seq} to ${last.seq}: ${rows} rows, ${vouched.size} signed checkpoints`
)
if (header.from_hash !== ZEROS && header.anchor.seq + 1 !== header.from_seq)
  say("the export begins in the middle of the log")
if (vouched.size === 0)
  say("NOTE no signed checkpoint was given: whoever owns the database could have rewritten everything")
for (const notice of notices.slice(0, 20)) say(`NOTE ${notice}`)
for (const { first_seq, kind, words } of findings) say(`FOUND ${kind} first ${first_seq}: ${words}`)
say(findings.length === 0 ? "OK nothing found" : `${findings.length} ${findings.length === 1 ? "finding" : "findings"}`)
process.exitCode = findings.length === 0 ? 0 : 2
