/** Recovery codes as they are shown. */
import { randomInt } from "node:crypto"
import { RECOVERY_ALPHABET, RECOVERY_CODES } from "#core/Factor.ts"

/** Ten fresh ones of 80 bits, each four groups of four. */
export const newRecoveryCodes = (): ReadonlyArray<string> =>
  Array.from({ length: RECOVERY_CODES }, () =>
    Array.from({ length: 16 }, () => RECOVERY_ALPHABET[randomInt(RECOVERY_ALPHABET.length)])
      .join("")
      .replaceAll(/(.{4})(?!$)/g, "$1-")
  )
