import { describe, expect, it } from "vitest"
import { migrations } from "#sql/migrations/index.ts"
import { splitStatements } from "#sql/splitStatements.ts"

describe("splitting a migration", () => {
  it.each([
    ["two statements", "select 1; select 2;", ["select 1", "select 2"]],
    ["the last without its semicolon", "select 1;\nselect 2\n", ["select 1", "select 2"]],
    ["nothing", " \n;;\n ; ", []],
    ["only comments", "-- a; b\n/* c; d */;", []],
    [
      "a semicolon in a text",
      "insert into t values ('a;b', 'it''s; fine'); select 1",
      ["insert into t values ('a;b', 'it''s; fine')", "select 1"]
    ],
    ["a semicolon in a name", `select 1 as "a;b"; select 2`, [`select 1 as "a;b"`, "select 2"]],
    [
      "a semicolon in a comment",
      "select 1 -- one; really\n; select /* 2; */ 2",
      ["select 1 -- one; really", "select /* 2; */ 2"]
    ],
    [
      "an apostrophe in a comment",
      "select 1; -- it's\nselect 2; -- don't\nselect 3",
      ["select 1", "-- it's\nselect 2", "-- don't\nselect 3"]
    ],
    [
      "a function",
      "create function f() returns int language sql as $$ select 1; $$; select f()",
      ["create function f() returns int language sql as $$ select 1; $$", "select f()"]
    ],
    [
      "dollar quotes in dollar quotes",
      "do $body$ begin execute $$a;b$$; end $body$; select 1",
      ["do $body$ begin execute $$a;b$$; end $body$", "select 1"]
    ],
    ["a dollar parameter", "prepare p as select $1; select 2", ["prepare p as select $1", "select 2"]]
  ])("keeps whole: %s", (_, text, expected) => {
    expect(splitStatements(text)).toEqual(expected)
  })

  it("leaves no statement of our own migrations open or empty", () => {
    for (const { name, statements } of migrations) {
      for (const statement of splitStatements(statements)) {
        const bare = statement.replace(/--[^\n]*/g, "").trim()
        expect(bare, name).toMatch(/^(create|insert|alter|do|grant|revoke|comment|update|drop|delete) /)
      }
    }
  })
})
