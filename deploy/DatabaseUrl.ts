/** The URL of a database behind PostgreSQL's socket in `directory`, in the form `sql/DatabaseUrl.ts` reads. */
export const socketDatabaseUrl = (directory: string, database: string, username: string): string =>
  `postgresql:///${encodeURIComponent(database)}?host=${encodeURIComponent(directory)}&user=${encodeURIComponent(username)}`

/** The same URL for another database of the same server. */
export const withDatabase = (url: string, database: string): string => {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(database)}`
  return changed.href
}
