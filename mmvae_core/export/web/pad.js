// A pad to draw on by mouse, finger, pen or keyboard; `told(strokes)` at every change.

const STEP = 0.05, APART = 0.012, MOST_POINTS = 4000

class Pad {
  constructor(box, label, told) {
    this.strokes = []
    this.current = null
    this.cursor = [0.5, 0.2]
    this.byKeys = false
    this.told = told
    this.canvas = element("canvas", { width: 256, height: 256, "aria-hidden": "true" })
    this.field = element("div", { class: "field", tabindex: 0, role: "application",
      "aria-label": `${label}: arrows move, space puts the pen down or up, U undoes, C clears` }, this.canvas)
    const undo = element("button", { type: "button" }, "Undo"), clear = element("button", { type: "button" }, "Clear")
    undo.onclick = () => this.undo()
    clear.onclick = () => this.clear()
    box.append(element("div", { class: "pad" }, this.field, element("div", { class: "bar" }, undo, clear)))
    this.field.onpointerdown = event => { this.field.setPointerCapture(event.pointerId); this.byKeys = false; this.begin(this.place(event)) }
    this.field.onpointermove = event => { if (this.current && !this.byKeys) this.extend(this.place(event), APART) }
    this.field.onpointerup = this.field.onpointercancel = () => this.lift()
    this.field.onkeydown = event => this.key(event)
    this.paint()
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect()
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map(one => Math.min(1, Math.max(0, one)))
  }

  begin(point) {
    if (this.strokes.flat().length >= MOST_POINTS) return
    this.current = [point]
    this.strokes.push(this.current)
    this.changed()
  }

  extend(point, apart) {
    const [x, y] = this.current[this.current.length - 1]
    if (Math.hypot(point[0] - x, point[1] - y) < apart || this.current.length >= MOST_POINTS) return
    this.current.push(point)
    this.changed()
  }

  lift() { this.current = null; this.paint() }
  undo() { this.current = null; this.strokes.pop(); this.changed() }
  clear() { this.current = null; this.strokes = []; this.changed() }
  changed() { this.paint(); this.told(this.strokes) }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    const action = { " ": () => this.current ? this.lift() : this.begin([...this.cursor]), u: () => this.undo(), c: () => this.clear() }[event.key.toLowerCase()]
    if (!way && !action) return
    event.preventDefault()
    event.stopPropagation()
    this.byKeys = true
    if (action) return action()
    this.cursor = this.cursor.map((one, axis) => Math.min(1, Math.max(0, one + STEP * way[axis])))
    if (this.current) this.extend([...this.cursor], 0)
    this.paint()
  }

  paint() {
    const pen = this.canvas.getContext("2d"), side = this.canvas.width
    pen.clearRect(0, 0, side, side)
    pen.lineCap = pen.lineJoin = "round"
    pen.strokeStyle = "#fff"
    pen.lineWidth = 0.07 * side
    for (const stroke of this.strokes) {
      pen.beginPath()
      stroke.forEach(([x, y]) => pen.lineTo(x * side, y * side))
      if (stroke.length === 1) pen.lineTo(stroke[0][0] * side + 0.01, stroke[0][1] * side)
      pen.stroke()
    }
    if (!this.byKeys) return
    pen.strokeStyle = this.current ? "#e69f00" : "#56b4e9"
    pen.lineWidth = 3
    pen.beginPath()
    pen.arc(this.cursor[0] * side, this.cursor[1] * side, 9, 0, 7)
    pen.stroke()
  }
}
