/** The URL of a database behind PostgreSQL's socket in `directory`, in the form `sql/DatabaseUrl.ts` reads. */
export const socketDatabaseUrl = (directory: string, database: string, username: string): string =>
  `postgresql:///${encodeURIComponent(database)}?host=${encodeURIComponent(directory)}&user=${encodeURIComponent(username)}`

/** The same URL for another role; without a password where the server asks for none. */
export const withRole = (url: string, role: string, password = ""): string => {
  const changed = new URL(url)
  changed.searchParams.delete("user")
  changed.searchParams.delete("password")
  // A socket's address has no host, and so no place for a user before it.
  if (changed.host === "") {
    changed.searchParams.set("user", role)
    if (password !== "") changed.searchParams.set("password", password)
  } else {
    changed.username = encodeURIComponent(role)
    changed.password = encodeURIComponent(password)
  }
  return changed.href
}

/** The same URL for another database of the same server. */
export const withDatabase = (url: string, database: string): string => {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(database)}`
  return changed.href
}
