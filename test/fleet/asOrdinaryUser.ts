import { AptBackend } from "./AptBackend.ts"
import { buildDeb, installedVersion, installInto, makeRoot, updateLists } from "./aptRoot.ts"

/** Patches a package in a root of its own after giving up root's rights: `asOrdinaryUser.ts DIR UID`. */
const main = async (): Promise<void> => {
  const [dir = "", uid = ""] = process.argv.slice(2)
  const id = Number(uid)
  process.setgroups?.([])
  process.setgid?.(id)
  process.setuid?.(id)
  const root = `${dir}/root`
  const repo = `${dir}/repo`
  await makeRoot(root, repo)
  await buildDeb(repo, { name: "demo-tool", version: "1.0" })
  await installInto(root, "demo-tool")
  await buildDeb(repo, { name: "demo-tool", version: "2.0" })
  await updateLists(root)
  const outcome = await new AptBackend(root).upgrade(undefined, new AbortController().signal)
  if (outcome.failure !== undefined) throw new Error(outcome.failure.message)
  process.stdout.write(`${(await installedVersion(root, "demo-tool")) ?? "none"}\n`)
}

await main()
