/**
 * Which new passwords are taken (NIST SP 800-63B-4, §3.1.1.2; PCI DSS 4.0.1, 8.3.6). Length counts characters as people see them
 * written, not bytes, and no kind of character is demanded but by the PCI profile.
 */

export interface PasswordRules {
  readonly pci_profile: boolean
  /** What somebody who wants in tries first: the user's name, the host's, the product's. */
  readonly about: ReadonlyArray<string>
  readonly isCommonPassword: (text: string) => boolean
  readonly isCommonWord: (text: string) => boolean
}

export const MAXIMUM_LENGTH = 256
export const minimumLength = (pci_profile: boolean): number => (pci_profile ? 12 : 15)

const PRODUCT = ["linuxpatchmanager", "patchmanager", "linuxpatch"]
/** What has to be left when names of the place are taken out. */
const LEAST_OF_ITS_OWN = 8

/** For the page where somebody chooses a password: what is asked, one sentence each. */
export const passwordRules = (pci_profile: boolean): ReadonlyArray<string> => [
  `At least ${minimumLength(pci_profile)} characters, at most ${MAXIMUM_LENGTH}; any characters, spaces too.`,
  ...(pci_profile
    ? ["Letters and digits.", "Not one of your last four passwords, nor one you had within 90 days (PCI profile)."]
    : []),
  "Not a common password, not your user name or the product's name, no rows such as 12345 or qwerty."
]

const lengthOf = (text: string): number => Array.from(text).length

const rows = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890",
  "qwertyuiop",
  "qwertzuiop",
  "azertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "yxcvbnm",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
  "qazwsxedcrfvtgbyhnujmikolp"
]
const runs = rows.flatMap((row) => [row, Array.from(row).toReversed().join("")])

/** The longest piece from `at` that stands in a row of keys or letters, or repeats one character. */
const runFrom = (text: string, at: number): number => {
  let same = 1
  while (text[at + same] === text[at]) same++
  let length = same
  while (at + length < text.length && runs.some((run) => run.includes(text.slice(at, at + length + 1)))) length++
  return length
}

/** How many characters are left when each run of four or more counts as one. */
const withoutRuns = (text: string): number => {
  let left = 0
  for (let at = 0; at < text.length; left++) {
    const run = runFrom(text, at)
    at += run >= 4 ? run : 1
  }
  return left
}

/** The shortest piece that the text is made of by repetition: "abcabcab" is "abc". */
const periodOf = (text: string): string => {
  for (let size = 1; size <= text.length / 2; size++) {
    const piece = text.slice(0, size)
    if (piece.repeat(Math.ceil(text.length / size)).startsWith(text)) return piece
  }
  return text
}

const lookalikes: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i"
}
const spelled = (text: string): string => text.replaceAll(/[013457@$!]/g, (sign) => lookalikes[sign] ?? sign)

/** Whether the letters are common words and nothing else: "Passwort2024!", "summerSummer99", "letmein-please1". */
const isOnlyWords = (text: string, { isCommonPassword, isCommonWord }: PasswordRules): boolean => {
  const word = (letters: string): boolean => isCommonPassword(letters) || isCommonWord(letters)
  const letters = text.replaceAll(/[^\p{L}]/gu, "")
  if (letters.length < 4) return false
  if (word(letters) || word(periodOf(letters))) return true
  // Two words at most: three or more that do not belong together are a passphrase.
  for (let cut = 4; cut <= letters.length - 4; cut++) {
    if (word(letters.slice(0, cut)) && word(letters.slice(cut))) return true
  }
  return false
}

/** What is left of the text beside the names; a name in the middle is cut out wherever it stands. */
const withoutNames = (text: string, names: ReadonlyArray<string>): string =>
  names.reduce((rest, name) => (name.length < 4 ? rest : rest.replaceAll(name, "")), text)

const plain = (text: string): string => text.normalize("NFKC").toLowerCase()
const joined = (text: string): string => text.replaceAll(/[^\p{L}\p{N}@$!]/gu, "")

/** Why a password is refused, as a sentence for whoever chose it; null where it is taken. */
export const passwordFault = (password: string, rules: PasswordRules): string | null => {
  if (!password.isWellFormed()) return "This contains half a character. Type it again."
  const whole = password.normalize("NFC")
  const minimum = minimumLength(rules.pci_profile)
  const length = lengthOf(whole)
  if (length < minimum) {
    return `Too short: ${length} characters of at least ${minimum}. A few words that do not belong together are easy to remember.`
  }
  if (length > MAXIMUM_LENGTH) return `Too long: ${length} characters of at most ${MAXIMUM_LENGTH}.`
  if (rules.pci_profile && !(/\p{L}/u.test(whole) && /\p{N}/u.test(whole))) {
    return "Letters and digits are both needed (PCI profile)."
  }
  const text = plain(whole)
  const core = joined(text)
  if ([text, core, spelled(core)].some(rules.isCommonPassword)) {
    return "This is one of the passwords that are guessed first. Choose another one."
  }
  const names = [...PRODUCT, ...rules.about.map((name) => joined(plain(name)))].toSorted((a, b) => b.length - a.length)
  const own = withoutNames(core, names)
  if (own !== core && own.length < LEAST_OF_ITS_OWN) {
    return "This is little more than your user name, this manager's name or the product's. Choose another one."
  }
  if (periodOf(text).length <= 4) return "This repeats the same few characters. Choose another one."
  if (withoutRuns(text) < minimum / 2) return "This is mostly a row of letters, digits or keys. Choose another one."
  if (isOnlyWords(core, rules) || isOnlyWords(spelled(core), rules)) {
    return "This is a common word or two with digits or signs around them. Choose another one."
  }
  return null
}
