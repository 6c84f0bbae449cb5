/** A moment as a datetime-local field has it: the browser's own zone, to the minute. */
const two = (value: number): string => String(value).padStart(2, "0")

export const writeLocal = (iso: string): string => {
  const at = new Date(iso)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}

export const readLocal = (text: string): string => new Date(text).toISOString()
