/** Pasted codes come with spaces and dashes. */
export const tidyCode = (text: string): string => text.replace(/[\s-]/g, "")
