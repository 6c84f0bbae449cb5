/** Hands a text to the browser as a file. */
export const download = (name: string, text: string, type = "application/x-pem-file"): void =>
  downloadBlob(name, new Blob([text], { type }))

/** The same for what came as bytes. */
export const downloadBlob = (name: string, content: Blob): void => {
  const url = URL.createObjectURL(content)
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
