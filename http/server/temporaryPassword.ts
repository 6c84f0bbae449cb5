/** A password that a program made up, to be said to somebody once and changed at his next sign-in. */
import { randomInt } from "node:crypto"

/** Without what is taken for something else when it is read out or typed off paper. */
const letters = "abcdefghjkmnpqrstuvwxyz"
const digits = "23456789"

const pick = (from: string): string => from[randomInt(from.length)] ?? ""

/** Five groups of four, each with a digit: about 94 bits. */
export const temporaryPassword = (): string =>
  Array.from({ length: 5 }, () => {
    const digit = randomInt(4)
    return Array.from({ length: 4 }, (_, place) => pick(place === digit ? digits : letters + digits)).join("")
  }).join("-")
