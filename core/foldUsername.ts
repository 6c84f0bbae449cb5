/**
 * The one spelling of a user name: what looks or types alike is one account and one counter of failed tries. Compatibility forms
 * (full-width letters, ligatures), case, accents, invisible characters and spaces around do not count.
 */
export const foldUsername = (name: string): string =>
  name
    .normalize("NFKD")
    .replaceAll(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, "")
    .toLowerCase()
    .trim()
