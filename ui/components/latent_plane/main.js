// Where this browser decodes (live.js) a move shows that very place. Else every modality has been
// decoded on a grid by the server, pictures as one sprite, words as text with shades: a move shows the
// nearest place of it. Only a release tells Python, which judges that very place.
const CHOICE = "mmvae-decode" // as in live_pictures
const planes = new WeakMap()
const SETTLE_MS = 250   // after the last key press
const inside = number => Math.min(1, Math.max(-1, number))

class Plane {
  constructor(root) {
    this.root = root
    this.field = root.querySelector(".field")
    this.canvas = root.querySelector(".marks")
    this.field.addEventListener("pointerdown", event => {
      if (event.button > 0) return
      this.field.setPointerCapture(event.pointerId)
      this.held = true
      this.go(this.place(event))
    })
    this.field.addEventListener("pointermove", event => this.held && this.go(this.place(event)))
    for (const name of ["pointerup", "pointercancel"])
      this.field.addEventListener(name, () => { if (this.held) { this.held = false; this.release() } })
    this.field.addEventListener("keydown", event => this.key(event))
    this.sizes = new ResizeObserver(() => this.mark())
  }

  update(data) {
    this.data = data
    const line = data.rows === 1
    this.field.setAttribute("aria-label", data.label)
    this.field.classList.toggle("line", line)
    if (this.made !== data.id) {
      this.made = data.id
      this.at = data.start
      if (this.live) this.live.ended = true
      this.live = null
      this.views = (data.live?.parts ?? data.modalities).map(one => this.view(one))
      this.root.querySelector(".right").replaceChildren(...this.views.map(view => view.figure))
      if (data.live) this.follow(data.live)
      else this.ground("img").src = data.ground ?? ""
    }
    if (!data.live) for (const view of this.views) view.learn(data.exact?.[view.name])
    this.show()
  }

  ground(tag) { // a picture of the server's, or a canvas; an empty picture is not shown
    const made = document.createElement(tag)
    made.className = "ground"
    if (tag === "img") made.alt = ""
    this.root.querySelector(".ground").replaceWith(made)
    return made
  }

  async follow(live) {
    const made = this.live = new Follower(live, this.views)
    try {
      if (localStorage.getItem(CHOICE) === "server") throw Error("it was left to the server")
      await made.scale()
      await made.go(this.at, at => this.painted(at))
      const canvas = this.ground("canvas")
      if (this.data.rows > 1) await made.ground(canvas, this.data.columns)
    } catch {
      if (!made.ended) this.send("grid", true) // the server decodes one, and says so
    }
  }

  painted(at) {
    this.root.dataset.at = at.join(" ")
    this.say(true)
  }

  view(one) {
    const figure = document.createElement("figure")
    figure.innerHTML = "<figcaption></figcaption>"
    figure.firstChild.textContent = one.name
    if (one.look) return liveView(one, figure)
    return one.sprite ? this.pictures(one, figure) : this.words(one, figure)
  }

  pictures(one, figure) {
    const canvas = document.createElement("canvas"), sprite = new Image(), exact = new Image()
    canvas.width = one.width
    canvas.height = one.height
    canvas.style.setProperty("--wide", `${one.wide}px`)
    canvas.setAttribute("role", "img")
    canvas.setAttribute("aria-label", `${one.name} at the place`)
    figure.append(canvas)
    const pen = canvas.getContext("2d")
    sprite.onload = exact.onload = () => this.show()
    sprite.src = one.sprite
    return {
      figure, name: one.name,
      learn: uri => { if (uri && exact.src !== uri) exact.src = uri },
      draw: (column, row, isExact) => {
        if (isExact && exact.complete && exact.src) pen.drawImage(exact, 0, 0)
        else if (sprite.complete) pen.drawImage(sprite, column * one.width, row * one.height,
          one.width, one.height, 0, 0, one.width, one.height)
      },
    }
  }

  words(one, figure) {
    const word = document.createElement("div")
    word.className = "word"
    word.setAttribute("role", "img")
    figure.append(word)
    let exact = null
    const cells = [...Array(one.length)].map(() => word.appendChild(document.createElement("span")))
    return {
      figure, name: one.name,
      learn: cell => { exact = cell ?? exact },
      draw: (column, row, isExact) => {
        const [symbols, shades] = isExact && exact ? exact : one.cells[row * this.data.columns + column]
        word.setAttribute("aria-label", symbols.join("").trim() || "only spaces")
        cells.forEach((cell, place) => {
          const symbol = symbols[place]
          cell.textContent = symbol === " " ? "·" : symbol
          cell.style.opacity = symbol === " " ? 0.4 : shades[place]
        })
      },
    }
  }

  place(event) {
    const box = this.field.getBoundingClientRect()
    const across = inside(2 * (event.clientX - box.left) / box.width - 1)
    const up = inside(1 - 2 * (event.clientY - box.top) / box.height)
    return [across, this.data.rows === 1 ? 0 : up]
  }

  go(place) {
    this.at = place
    this.show()
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = (event.shiftKey ? 0.2 : 1) * 2 / (this.data.columns - 1)
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }
    const way = ways[event.key]
    if (!way && event.key !== "Home") return
    event.preventDefault()
    const to = way ? this.at.map((number, axis) => inside(number + way[axis])) : [0, 0]
    this.go(this.data.rows === 1 ? [to[0], 0] : to)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.release(), SETTLE_MS)
  }

  release() {
    this.at = this.at.map(number => Math.round(1000 * number) / 1000)
    this.show()
    this.send("place", this.at)
  }

  get isExact() {
    const exact = this.data.exact_at
    return Boolean(exact) && exact.every((number, axis) => Math.abs(number - this.at[axis]) < 6e-4)
  }

  show() {
    if (this.live) this.live.go(this.at, at => this.painted(at)).catch(() => {})
    else this.showNearest()
    this.mark()
  }

  showNearest() {
    const { columns, rows } = this.data
    const column = Math.round((this.at[0] + 1) / 2 * (columns - 1))
    const row = Math.round((1 - this.at[1]) / 2 * (rows - 1))
    const isExact = this.isExact
    for (const view of this.views) view.draw(column, row, isExact)
    this.say(isExact)
  }

  say(isExact) {
    const [across, up] = this.at.map(number => number.toFixed(2))
    this.root.querySelector("[role=status]").textContent =
      `At ${across}${this.data.rows === 1 ? "" : `, ${up}`}: ${isExact ? "decoded exactly" : "the nearest grid point"}`
  }

  mark() {
    if (!this.data) return
    const ratio = window.devicePixelRatio || 1
    const wide = Math.round(this.field.clientWidth * ratio), high = Math.round(this.field.clientHeight * ratio)
    if (!wide) return
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high })
    const pen = this.canvas.getContext("2d")
    pen.clearRect(0, 0, wide, high)
    const spot = ([a, b]) => [(a + 1) / 2 * wide, (1 - b) / 2 * high]
    pen.font = `600 ${15 * ratio}px system-ui, sans-serif`
    const style = getComputedStyle(this.field) // on pictures black around white, else as the page
    this.inks = this.root.querySelector(".ground").matches("canvas, [src]:not([src=''])") ? ["#000", "#fff"] : [style.getPropertyValue("--st-background-color"), style.color]
    for (const mark of this.data.marks) {
      const [x, y] = spot(mark.at)
      this.ring(pen, x, y, 5 * ratio, ratio)
      const left = x > 0.7 * wide
      pen.textAlign = left ? "right" : "left"
      const at = [x + (left ? -19 : 19) * ratio, Math.min(high - 6 * ratio, Math.max(16 * ratio, y + 5 * ratio))]
      pen.lineWidth = 4 * ratio
      pen.strokeStyle = this.inks[0]
      pen.strokeText(mark.label, ...at)
      pen.fillStyle = this.inks[1]
      pen.fillText(mark.label, ...at)
    }
    this.ring(pen, ...spot(this.at), 13 * ratio, ratio)
  }

  ring(pen, x, y, radius, ratio) {
    for (const [index, width] of [6, 3].entries()) {
      pen.strokeStyle = this.inks[index]
      pen.lineWidth = width * ratio
      pen.beginPath()
      pen.arc(x, y, radius, 0, 7)
      pen.stroke()
    }
  }
}

export default function (component) {
  const { parentElement, data, setStateValue } = component
  const root = parentElement.querySelector(".plane")
  let plane = planes.get(root)
  if (!plane) planes.set(root, plane = new Plane(root))
  plane.send = setStateValue
  plane.sizes.observe(plane.field)
  plane.update(data)
  return () => plane.sizes.disconnect()
}
