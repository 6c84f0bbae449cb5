/** An operating system in a few words: `Debian 12`, `Ubuntu 24.04`; lists have no room for code names. */
export const systemName = (os: string | null, version: string | null): string => {
  if (os === null) return "Unknown"
  const short = os.replace(/ (GNU\/)?Linux$/, "")
  return `${short} ${/^\d+(\.\d+)?/.exec(version ?? "")?.[0] ?? version ?? ""}`.trim()
}
