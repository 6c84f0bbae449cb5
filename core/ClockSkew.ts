/** How far the clocks of the database and of the worker may differ. */

/** A difference that an operator is shown. */
export const SKEW_SHOWN_MILLIS = 5_000
/** A difference with which nothing new is started: one of the two clocks is wrong, and windows hang on it. */
export const SKEW_BLOCKS_MILLIS = 60_000
/** The worker compares the clocks this often. */
export const SKEW_MEASURED_MILLIS = 10_000
