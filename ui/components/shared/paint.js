// Values E[x | z], one behind the other, drawn as the views of ui/kinds draw them. A part is a
// modality: { name, shape, alphabet, look, ... } as `View.told` has it.
const GAP = 6, ZOOM = { pictures: 4, bars: 2 }, ACROSS = { pictures: Infinity, bars: 2 }
const HIGH = 40, BROAD = 120, MOST_BARS = 60, EDGE = 3
const PALEST = 0.62 // how pale an unsure symbol is
const ORANGE = [0.9, 0.62, 0], BLUE = [0, 0.45, 0.7]

const isText = part => part.look === "words" || part.look === "answers"
const byte = value => Math.round(255 * Math.min(1, Math.max(0, value || 0)))

// Pictures, one ImageData a value; of bars `limit` is full length, by default the largest of them.
function rasters(part, values, count, limit) {
  return part.look === "bars" ? barRasters(part, values, count, limit) : pictureRasters(part, values, count)
}

function pictureRasters({ shape: [channels, height, width] }, values, count) {
  const size = width * height
  return Array.from({ length: count }, (_, one) => {
    const tile = new ImageData(width, height)
    for (let at = 0; at < size; at++) {
      for (let c = 0; c < 3; c++) tile.data[4 * at + c] = byte(values[(one * channels + (channels === 3 ? c : 0)) * size + at])
      tile.data[4 * at + 3] = 255
    }
    return tile
  })
}

function barRasters(part, values, count, limit) {
  const heights = barHeights(part, values, count), bars = heights.length / count
  const top = Math.max(1e-6, part.units ? EDGE : part.limit ?? limit ?? heights.reduce((most, one) => Math.max(most, Math.abs(one)), 0))
  return Array.from({ length: count }, (_, one) => {
    const tile = new ImageData(BROAD, HIGH)
    for (let y = 0; y < HIGH; y++) for (let x = 0; x < BROAD; x++) {
      const reach = heights[one * bars + Math.floor(x * bars / BROAD)] / top
      const height = (1 - 2 * y / (HIGH - 1)) * (1 - 1 / HIGH)
      const filled = height > 0 ? height <= reach : height >= reach, colour = !filled || !reach ? [1, 1, 1] : reach > 0 ? ORANGE : BLUE
      colour.forEach((value, c) => { tile.data[4 * (y * BROAD + x) + c] = byte(y === HIGH / 2 ? Math.min(value, 0.8) : value) })
      tile.data[4 * (y * BROAD + x) + 3] = 255
    }
    return tile
  })
}

// How far each bar reaches [count * bar]: entries in their units, neighbours together where there are many.
function barHeights({ shape, units }, values, count) {
  const entries = shape.reduce((product, side) => product * side, 1), bars = Math.min(entries, MOST_BARS)
  const each = Math.floor(entries / bars), longer = entries % bars, heights = new Float64Array(count * bars)
  for (let one = 0; one < count; one++) for (let bar = 0, at = 0; bar < bars; bar++) {
    const wide = each + (bar < longer)
    for (const end = at + wide; at < end; at++) {
      const value = units ? (values[one * entries + at] - units[0][at]) / units[1][at] : values[one * entries + at]
      heights[one * bars + bar] += (value || 0) / wide
    }
  }
  return heights
}

// What a text says and how dark each sign of it is: [sign, opacity].
function signs({ shape: [length, symbols], alphabet }, values, one) {
  return Array.from({ length }, (_, place) => {
    const from = (one * length + place) * symbols
    let best = 0
    for (let i = 1; i < symbols; i++) if (values[from + i] > values[from + best]) best = i
    return [alphabet ? alphabet[best] : String(best), (PALEST + (1 - PALEST) * values[from + best]).toFixed(2)]
  })
}

function spokenText(part, shown) {
  const text = shown.map(([sign]) => sign).join(part.look === "answers" ? ", " : part.alphabet ? "" : " ")
  return text.trim() || "only spaces"
}

// `count` values in rows of `columns`, in the place of what `box` holds of them.
function paint(part, box, values, count, columns, alt, widest) {
  if (isText(part)) paintTexts(part, held(box, "div", "words"), values, count)
  else paintTiles(part, held(box, "canvas", "tiles"), rasters(part, values, count), columns, alt, widest)
}

function held(box, tag, name) {
  const there = box.querySelector(`:scope > .${name}`)
  if (there?.localName === tag) return there
  const made = document.createElement(tag)
  made.className = name
  if (there) there.replaceWith(made)
  else box.insertBefore(made, box.querySelector(":scope > :is(.source, figcaption)"))
  return made
}

function paintTiles({ look }, canvas, tiles, columns, alt, widest) {
  const across = Math.min(columns, ACROSS[look], tiles.length), rows = Math.ceil(tiles.length / across)
  const { width, height } = tiles[0], wide = ZOOM[look] * width, high = ZOOM[look] * height
  canvas.width = across * (wide + GAP) - GAP
  canvas.height = rows * (high + GAP) - GAP
  canvas.style.maxWidth = `${widest ?? canvas.width}px`
  const pen = canvas.getContext("2d"), small = new OffscreenCanvas(width, height), ink = small.getContext("2d")
  pen.imageSmoothingEnabled = false
  tiles.forEach((tile, one) => {
    ink.putImageData(tile, 0, 0)
    pen.drawImage(small, (one % across) * (wide + GAP), Math.floor(one / across) * (high + GAP), wide, high)
  })
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", alt)
}

function paintTexts(part, words, values, count) {
  words.replaceChildren(...Array.from({ length: count }, (_, one) => {
    const word = document.createElement("span"), shown = signs(part, values, one)
    word.className = part.look === "answers" ? "word answers" : "word"
    word.setAttribute("role", "img")
    word.setAttribute("aria-label", spokenText(part, shown))
    shown.forEach(([sign, opacity], place) => {
      const cell = document.createElement("span")
      cell.style.opacity = opacity
      if (sign === " ") {
        const dot = document.createElement("i")
        dot.setAttribute("aria-hidden", "true")
        dot.textContent = "·"
        cell.append(dot)
      } else cell.textContent = sign
      if (place && part.look === "answers") word.append(" ")
      word.append(cell)
    })
    return word
  }))
}
