/**
 * A real Chromium from the npm package's packed executable, unpacked once into the checkout's private cache.
 * Our own arguments, never the package's: those switch web security off.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createReadStream, createWriteStream, existsSync, readFileSync } from "node:fs"
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createBrotliDecompress } from "node:zlib"
import { type Browser, chromium } from "playwright-core"

const root = join(import.meta.dirname, "..", "..")
const packed = join(root, "node_modules", "@sparticuz", "chromium")

const unpack = async (): Promise<string> => {
  const { version } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8")) as { version: string }
  const folder = join(root, ".build", `chromium-${version}`)
  const executable = join(folder, "chromium")
  if (existsSync(executable)) return executable
  const temporary = `${folder}.${process.pid}`
  await mkdir(temporary, { recursive: true })
  const file = join(temporary, "chromium")
  await pipeline(
    createReadStream(join(packed, "bin", "chromium.br")),
    createBrotliDecompress(),
    createWriteStream(file)
  )
  await chmod(file, 0o755)
  await rename(temporary, folder).catch(() => rm(temporary, { recursive: true, force: true }))
  return executable
}

/** Only the fonts of the package, so that text that the console's own fonts lack measures the same on every machine. */
const fontConfiguration = async (): Promise<string> => {
  const folder = join(root, ".build", "chromium-fonts")
  if (!existsSync(folder)) {
    const temporary = `${folder}.${process.pid}`
    await mkdir(temporary, { recursive: true })
    const tar = spawn("tar", ["-x", "-C", temporary], { stdio: ["pipe", "ignore", "inherit"] })
    const ended = once(tar, "exit")
    await pipeline(createReadStream(join(packed, "bin", "fonts.tar.br")), createBrotliDecompress(), tar.stdin)
    await ended
    await rename(temporary, folder).catch(() => rm(temporary, { recursive: true, force: true }))
  }
  const file = join(root, ".build", "fonts.conf")
  const xml = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>${folder}</dir><cachedir>${join(root, ".build", "fontconfig")}</cachedir></fontconfig>`
  await writeFile(file, xml)
  return file
}

export const openBrowser = async (): Promise<Browser> =>
  chromium.launch({
    executablePath: await unpack(),
    env: { ...process.env, FONTCONFIG_FILE: await fontConfiguration() } as Record<string, string>,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--font-render-hinting=none",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    ]
  })
