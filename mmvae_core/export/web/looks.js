// How values look: pictures as tiles of a canvas, symbols as text, numbers as bars. A look is given the
// values of `count` tiles one behind the other, means E[x | z] or an item's own.

const SCALE = 2, GAP = 4

function lookOf(part) {
  return { GreyPicture: pictureLook, ColourPicture: pictureLook, Symbols: textLook, Categories: textLook }[part.kind]?.(part) ?? barLook(part)
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

function pictureLook({ shape: [channels, height, width], name }) {
  return {
    make: () => element("canvas", { role: "img" }),
    paint(canvas, values, count, columns, alt) {
      const across = Math.min(count, columns), rows = Math.ceil(count / across), size = width * height
      canvas.width = across * (width + GAP) - GAP
      canvas.height = rows * (height + GAP) - GAP
      canvas.style.width = `${SCALE * canvas.width}px`
      const pen = canvas.getContext("2d"), tile = new ImageData(width, height)
      for (let one = 0; one < count; one++) {
        for (let at = 0; at < size; at++) {
          for (let c = 0; c < 3; c++)
            tile.data[4 * at + c] = Math.round(255 * values[one * channels * size + (channels === 3 ? c * size : 0) + at])
          tile.data[4 * at + 3] = 255
        }
        pen.putImageData(tile, (one % across) * (width + GAP), Math.floor(one / across) * (height + GAP))
      }
      canvas.setAttribute("aria-label", alt ?? name)
    },
  }
}

function textLook({ shape: [length, symbols], alphabet }) {
  const between = typeof alphabet === "string" ? "" : ", "
  const sign = code => code < 0 ? "?" : alphabet ? alphabet[code] : String(code)
  const text = (values, at, coded) => Array.from({ length }, (_, place) => {
    if (coded) return sign(values[at * length + place])
    const from = (at * length + place) * symbols
    let best = 0
    for (let i = 1; i < symbols; i++) if (values[from + i] > values[from + best]) best = i
    return sign(best)
  }).join(between)
  return {
    make: () => element("div", { class: "texts", role: "img" }),
    paint(box, values, count, columns, alt) {
      const texts = Array.from({ length: count }, (_, at) => text(values, at, values.length === count * length))
      box.replaceChildren(...texts.map(one => element("span", {}, one)))
      box.setAttribute("aria-label", `${alt}: ${texts.map(one => one.trim()).join(", ")}`)
    },
  }
}

function barLook({ shape }) { // numbers as bars from the middle, at most three of them wide
  const count = size(shape), HEIGHT = 44
  return {
    make: () => element("canvas", { role: "img" }),
    paint(canvas, values, tiles, columns, alt) {
      const wide = 5 * count + 8, across = Math.min(tiles, Math.max(1, Math.floor(280 / wide)))
      canvas.width = across * wide
      canvas.height = Math.ceil(tiles / across) * (HEIGHT + GAP)
      const pen = canvas.getContext("2d"), most = values.reduce((top, one) => Math.max(top, Math.abs(one) || 0), 1e-6)
      pen.fillStyle = getComputedStyle(canvas).color
      for (let one = 0; one < tiles; one++) for (let i = 0; i < count; i++) {
        const left = (one % across) * wide + 5 * i, middle = Math.floor(one / across) * (HEIGHT + GAP) + HEIGHT / 2
        const tall = (values[one * count + i] || 0) / most * HEIGHT / 2
        pen.fillRect(left, Math.min(middle, middle - tall), 4, Math.max(1, Math.abs(tall)))
      }
      canvas.setAttribute("aria-label", `${alt}: ${Array.from(values.slice(0, count), one => one.toFixed(1)).join(", ")}`)
    },
  }
}
