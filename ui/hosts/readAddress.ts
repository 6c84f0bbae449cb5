/** Tells a host's name from an address, as they are typed; the server has the last word. */
export type Where =
  | { readonly kind: "fqdn"; readonly value: string }
  | { readonly kind: "address"; readonly value: string }
  | { readonly kind: "fault"; readonly words: string }

export const readAddress = (typed: string): Where => {
  const value = typed.trim().toLowerCase().replace(/\.$/, "")
  if (/^[0-9.]+$/.test(value)) {
    const parts = value.split(".")
    const fits = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
    return fits ? { kind: "address", value } : { kind: "fault", words: "This is not a whole IPv4 address." }
  }
  if (value.includes(":")) {
    return /^[0-9a-f:.]+$/.test(value)
      ? { kind: "address", value }
      : { kind: "fault", words: "Give the name or address alone; the port has its own field." }
  }
  if (!value.includes(".")) {
    return { kind: "fault", words: "Give the full name with its domain, such as web-01.example.org, or an IP address." }
  }
  return { kind: "fqdn", value }
}
