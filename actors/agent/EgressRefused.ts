/** The manager does not call this address; the message says why. */
export class EgressRefused extends Error {}
