// The address holds the whole state; what is added names the item as its own data do.
function byHand(text) {   // where the browser lends its clipboard to secure addresses only
  const field = document.createElement("textarea")
  field.value = text
  document.body.append(field)
  field.select()
  const done = document.execCommand("copy")
  field.remove()
  return done
}

export default function (component) {
  const { parentElement, data } = component
  const said = parentElement.querySelector("[role=status]")
  parentElement.querySelector("button").onclick = async () => {
    const address = new URL(window.location.href)
    for (const [key, value] of Object.entries(data)) address.searchParams.set(key, value)
    const link = address.href
    let done = false
    try {
      await navigator.clipboard.writeText(link)
      done = true
    } catch {
      done = byHand(link)
    }
    const own = ["localhost", "127.0.0.1", "[::1]"].includes(window.location.hostname)
    const where = own ? " It opens on this computer alone." : ""
    said.textContent = (done ? "Copied." : "Copy it from the address line.") + where
  }
}
