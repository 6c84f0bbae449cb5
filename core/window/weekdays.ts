/** Days of the week as rules name them, Monday first; without a schema, for the calendar in the browser. */
export const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const
