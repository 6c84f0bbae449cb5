/**
 * Numbers as a parameter for `::text[]::float8[]` and the like. The driver guesses an array's type from its elements and
 * refuses 1 beside 1.5.
 */
export const numbers = (values: ReadonlyArray<number>): Array<string> => values.map(String)
