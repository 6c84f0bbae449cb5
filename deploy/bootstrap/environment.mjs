import { accessSync, constants, statSync } from "node:fs"
import { inRoot, root } from "./paths.mjs"

const writable = (path) => {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch (error) {
    return error.code === "ENOENT"
  }
}

/** Refuses, in a sentence, a machine or a folder this product cannot run in. */
export const refuseUnusable = () => {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new Error(`Node ${process.versions.node} is too old to start: install Node 20 or newer.`)
  }
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    throw new Error(`The Linux Patch Manager runs on Linux x64 and arm64; this is ${process.platform} ${process.arch}.`)
  }
}

/** Refuses a folder that another user owns before npm does so with a stack trace. */
export const refuseUnwritable = () => {
  for (const path of [root, inRoot("node_modules"), inRoot(".build")]) {
    if (writable(path)) continue
    throw new Error(
      `${path} cannot be written by this user (it belongs to user id ${statSync(path).uid}): ` +
        `run as its owner, or take it over with: sudo chown -R "$(id -un)" ${path}`
    )
  }
}

/** The native programs we bring need glibc. Asking takes a moment, so only an installation asks. */
export const refuseMusl = () => {
  if (process.report.getReport().header.glibcVersionRuntime !== undefined) return
  throw new Error("This system uses musl instead of glibc (Alpine?): use a Debian, Ubuntu, Fedora or similar system.")
}
