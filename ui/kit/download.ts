/** Hands a text to the browser as a file. */
export const download = (name: string, text: string, type = "application/x-pem-file"): void => {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
