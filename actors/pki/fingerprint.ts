/** SHA-256 over a certificate's DER, 64 lower-case hex digits; the form that is stored, compared and shown. */
import { X509Certificate } from "node:crypto"

/** Folds any spelling of a fingerprint (colons, upper case) into the stored form. */
export const normalFingerprint = (text: string): string => text.replaceAll(/[^0-9a-fA-F]/g, "").toLowerCase()

/** Throws when the text is not a PEM certificate. */
export const fingerprint = (pem: string): string => normalFingerprint(new X509Certificate(pem).fingerprint256)
