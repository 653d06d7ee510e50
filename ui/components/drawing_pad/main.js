// Strokes are arrays of [x, y] in 0..1. Python is sent the text that mmvae_core.modalities.strokes reads:
// two signs a coordinate, "." between strokes. After the first drawing of the pad, what Python
// sends is not looked at: it may lag behind a hand that draws on. Who makes pictures in the browser
// hears of every change ("mmvae-drawn"), also while the pen is down, and sends what is whole on.
const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
const STEPS = DIGITS.length ** 2 - 1
const APART = 0.012, STEP = 0.05, SMALL_STEP = 0.01
const pads = new WeakMap()

const pair = value => {
  const whole = Math.round(value * STEPS)
  return DIGITS[Math.floor(whole / DIGITS.length)] + DIGITS[whole % DIGITS.length]
}
const value = text => (DIGITS.indexOf(text[0]) * DIGITS.length + DIGITS.indexOf(text[1])) / STEPS
const toText = strokes => strokes.map(stroke => stroke.map(point => point.map(pair).join("")).join("")).join(".")
const fromText = text => (text ? text.split(".") : []).map(part =>
  part.match(/.{4}/g).map(four => [value(four.slice(0, 2)), value(four.slice(2))]))
const inside = number => Math.min(1, Math.max(0, number))

class Pad {
  constructor(root, data) {
    this.root = root
    this.field = root.querySelector(".field")
    this.canvas = root.querySelector("canvas")
    this.strokes = fromText(data.strokes)
    this.current = null   // the stroke that is being drawn
    this.cursor = [0.5, 0.2]
    this.byKeys = false   // whether the cursor is to be seen
    this.data = data
    this.field.setAttribute("aria-label", data.label)
    this.listen()
    this.tell()
  }

  listen() {
    const field = this.field
    field.addEventListener("pointerdown", event => this.press(event))
    field.addEventListener("pointermove", event => this.move(event))
    for (const name of ["pointerup", "pointercancel"]) field.addEventListener(name, () => this.lift())
    field.addEventListener("keydown", event => this.key(event))
    field.addEventListener("blur", () => { this.lift(); this.byKeys = false; this.paint() })
    this.root.querySelector(".undo").addEventListener("click", () => this.undo())
    this.root.querySelector(".clear").addEventListener("click", () => this.clear())
    this.sizes = new ResizeObserver(() => this.paint())
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect()
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)]
  }

  press(event) {
    if (event.button > 0) return
    this.lift()
    this.byKeys = false
    this.field.setPointerCapture(event.pointerId)
    this.begin(this.place(event))
  }

  move(event) {
    if (!this.current || this.byKeys) return
    const passed = event.getCoalescedEvents?.() ?? []
    for (const one of passed.length ? passed : [event]) this.extend(this.place(one))
    this.paint()
    this.ask([...this.strokes, this.current])
  }

  begin(point) {
    const count = this.strokes.reduce((sum, stroke) => sum + stroke.length, 0)
    this.left = this.data.most_points - count
    if (this.strokes.length >= this.data.most_strokes || this.left < 1) {
      this.say("The pad is full; undo or clear.")
      return
    }
    this.current = [point]
    this.paint()
  }

  extend(point, apart = APART) {
    const last = this.current[this.current.length - 1]
    if (this.current.length >= this.left) return
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= apart) this.current.push(point)
  }

  lift() {
    if (!this.current) return
    this.strokes.push(this.current)
    this.current = null
    this.changed()
  }

  undo() {
    if (this.current) this.current = null
    else this.strokes.pop()
    this.changed()
  }

  clear() {
    this.current = null
    this.strokes = []
    this.changed()
  }

  changed() {
    const text = toText(this.strokes), send = () => this.send("strokes", text)
    if (this.ask(this.strokes, send)) send()
    this.tell()
  }

  ask(strokes, send) { // whether nobody makes pictures of it
    const text = toText(strokes), detail = { name: this.data.name, text, strokes: fromText(text), send }
    return document.dispatchEvent(new CustomEvent("mmvae-drawn", { cancelable: true, detail }))
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = event.shiftKey ? SMALL_STEP : STEP
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }
    const actions = {
      " ": () => this.current ? this.lift() : this.begin([...this.cursor]),
      u: () => this.undo(), c: () => this.clear(),
    }
    const way = ways[event.key], action = actions[event.key.toLowerCase()]
    if (!way && !action) return
    event.preventDefault()
    event.stopPropagation()
    this.byKeys = true
    if (way) {
      this.cursor = this.cursor.map((number, axis) => inside(number + way[axis]))
      if (this.current) this.extend([...this.cursor], 0.001)
    } else action()
    this.tell(true)
  }

  tell(where = false) {
    const count = this.strokes.length
    const at = this.cursor.map(number => Math.round(100 * number))
    this.say(`${count} stroke${count === 1 ? "" : "s"}` +
      (where ? `, pen ${this.current ? "down" : "up"} at ${at[0]}, ${at[1]}` : ""))
    this.root.querySelector(".undo").disabled = !count && !this.current
    this.root.querySelector(".clear").disabled = !count && !this.current
    this.paint()
  }

  say(text) { this.root.querySelector("[role=status]").textContent = text }

  paint() {
    const side = Math.round(this.field.clientWidth * (window.devicePixelRatio || 1))
    if (!side) return
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side
    const pen = this.canvas.getContext("2d")
    pen.clearRect(0, 0, side, side)
    pen.lineCap = pen.lineJoin = "round"
    pen.strokeStyle = pen.fillStyle = "#fff"
    pen.lineWidth = 0.6 * this.data.pen * side
    for (const stroke of [...this.strokes, ...(this.current ? [this.current] : [])]) {
      pen.beginPath()
      stroke.forEach(([x, y], index) => index ? pen.lineTo(x * side, y * side) : pen.moveTo(x * side, y * side))
      if (stroke.length === 1) pen.lineTo(stroke[0][0] * side + 0.01, stroke[0][1] * side)
      pen.stroke()
    }
    if (!this.byKeys) return
    pen.strokeStyle = this.current ? "#e69f00" : "#56b4e9"
    pen.lineWidth = 0.012 * side
    pen.beginPath()
    pen.arc(this.cursor[0] * side, this.cursor[1] * side, 0.035 * side, 0, 7)
    pen.stroke()
  }
}

export default function (component) {
  const { parentElement, data, setStateValue } = component
  const root = parentElement.querySelector(".pad")
  let pad = pads.get(root)
  if (!pad) pads.set(root, pad = new Pad(root, data))
  pad.send = setStateValue
  pad.sizes.observe(pad.field)
  return () => pad.sizes.disconnect()
}
