/** Prints a text alone on a page, whatever the console shows. */
export const printText = (title: string, text: string): void => {
  const frame = document.createElement("iframe")
  frame.title = title
  frame.className = "vh"
  frame.addEventListener("load", () => {
    const inside = frame.contentDocument
    if (inside === null || frame.contentWindow === null) return
    inside.title = title
    const words = inside.createElement("pre")
    words.textContent = text
    inside.body.append(words)
    frame.contentWindow.addEventListener("afterprint", () => frame.remove())
    frame.contentWindow.print()
  })
  document.body.append(frame)
}
