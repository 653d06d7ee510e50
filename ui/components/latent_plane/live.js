// The plane where this browser decodes: every place that the pointer is at, exactly, one at a time and
// of those passed meanwhile the newest; the ground behind it a few places at a time in between.
const CHUNK = 4, CORNERS = 5

function liveView(part, figure) {
  if (isText(part)) {
    const word = document.createElement("div")
    word.className = "word"
    word.setAttribute("role", "img")
    figure.append(word)
    return { figure, name: part.name, paint: values => {
      const shown = signs(part, values, 0)
      word.setAttribute("aria-label", spokenText(part, shown))
      word.replaceChildren(...shown.map(([sign, opacity]) => {
        const cell = document.createElement("span")
        cell.textContent = sign === " " ? "·" : sign
        cell.style.opacity = sign === " " ? 0.4 : opacity
        return cell
      }))
    } }
  }
  const canvas = document.createElement("canvas")
  canvas.style.setProperty("--wide", `${part.wide}px`)
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", `${part.name} at the place`)
  figure.append(canvas)
  return { figure, name: part.name, paint: (values, limit) => {
    const [tile] = rasters(part, values, 1, limit)
    if (canvas.width !== tile.width || canvas.height !== tile.height) Object.assign(canvas, { width: tile.width, height: tile.height })
    canvas.getContext("2d").putImageData(tile, 0, 0)
  } }
}

class Follower {
  constructor({ weights, parts, origin, across, up }, views) {
    Object.assign(this, { weights, parts, origin, across, up, views })
    this.limits = parts.map(() => undefined)
  }

  latents(places) { // one behind the other
    return Float32Array.from(places.flatMap(([a, b]) => this.origin.map((value, i) => value + a * this.across[i] + b * this.up[i])))
  }

  ask(places, only) { return decoder().ask(this.weights, "decode", { z: this.latents(places), only }) }

  // Bars are as long as on the corners and in between.
  async scale() {
    const only = this.parts.flatMap((part, index) => part.look === "bars" ? [index] : [])
    if (!only.length) return
    const side = Array.from({ length: CORNERS }, (_, i) => 2 * i / (CORNERS - 1) - 1)
    const { means } = await this.ask(side.flatMap(a => side.map(b => [a, b])), only)
    only.forEach((index, at) => { this.limits[index] = means[at].reduce((most, one) => Math.max(most, Math.abs(one)), 0) })
  }

  go(at, painted) {
    this.at = at
    this.painted = painted
    return this.working ??= this.follow().finally(() => { this.working = null })
  }

  async follow() {
    while (this.at) {
      const at = this.at
      this.at = null
      const { means } = await this.ask([at])
      if (this.ended) return
      this.views.forEach((view, index) => view.paint(means[index], this.limits[index]))
      this.painted(at)
    }
  }

  async ground(canvas, columns) { // of the first modality that makes one
    const index = this.parts.findIndex(part => part.ground), part = this.parts[index]
    if (index < 0) return
    const [, height, width] = part.shape, pen = canvas.getContext("2d"), side = Array.from({ length: columns }, (_, i) => 2 * i / (columns - 1) - 1)
    Object.assign(canvas, { width: columns * width, height: columns * height })
    for (let row = 0; row < columns; row++) for (let from = 0; from < columns; from += CHUNK) {
      await this.working
      if (this.ended) return
      const places = side.slice(from, from + CHUNK).map(a => [a, -side[row]]), { means } = await this.ask(places, [index])
      rasters(part, means[0], places.length).forEach((tile, at) => pen.putImageData(tile, (from + at) * width, row * height))
    }
  }
}
