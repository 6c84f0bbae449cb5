import pg from "pg"

/** A plain PostgreSQL client for tests that look past the product at the rows; connect and end it yourself. */
export const testClient = (url: string): pg.Client => new pg.Client({ connectionString: url })
