// Strokes of a pen as a picture that looks like MNIST, as mmvae_core.modalities.strokes draws them:
// lists of points [x, y] in 0..1; to ink [height, width], bright on black.

const INK_BOX = 20 / 28, PEN = 2.25 / 20, SMALLEST = 0.05, FINE = 8

function ink(strokes, height, width) {
  const canvas = new Float32Array(height * width)
  if (!strokes.length) return canvas
  const box = Math.round(INK_BOX * Math.min(height, width)), small = reduced(fineInk(strokes, box))
  return centredInk(small, canvas, height, width)
}

function fineInk(strokes, box) { // black and white, eight times as fine
  const points = strokes.flat(), low = [0, 1].map(axis => Math.min(...points.map(one => one[axis])))
  const extent = [0, 1].map(axis => Math.max(...points.map(one => one[axis])) - low[axis])
  const fine = box * FINE, pen = PEN * fine, scale = (fine - pen) / Math.max(...extent, SMALLEST), radius = pen / 2
  const [wide, high] = extent.map(side => FINE * Math.max(1, Math.ceil((scale * side + pen) / FINE)))
  const d = new Uint8Array(wide * high)
  for (const stroke of strokes) {
    const line = stroke.map(one => [0, 1].map(axis => scale * (one[axis] - low[axis]) + radius))
    line.forEach((to, index) => capsule(d, wide, high, line[Math.max(0, index - 1)], to, radius))
  }
  return { d, wide, high }
}

function capsule(d, wide, high, [x0, y0], [x1, y1], radius) { // all within the radius of a line
  const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy
  const rows = [Math.min(y0, y1) - radius, Math.max(y0, y1) + radius]
  const columns = [Math.min(x0, x1) - radius, Math.max(x0, x1) + radius]
  for (let y = Math.max(0, Math.floor(rows[0])); y < Math.min(high, Math.ceil(rows[1]) + 1); y++)
    for (let x = Math.max(0, Math.floor(columns[0])); x < Math.min(wide, Math.ceil(columns[1]) + 1); x++) {
      const along = length ? Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / length)) : 0
      const away = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
      if (away <= radius * radius) d[y * wide + x] = 1
    }
}

const cubic = x => { // Catmull and Rom's
  const far = Math.abs(x)
  if (far < 1) return (1.5 * far - 2.5) * far * far + 1
  return far < 2 ? ((-0.5 * far + 2.5) * far - 4) * far + 2 : 0
}

function reduced({ d, wide, high }) { // bicubic, eight to one, rounded to bytes
  const across = squeezed(d, high, wide, 1), down = squeezed(across.d, across.count, high, across.count)
  return { d: down.d, wide: wide / FINE, high: high / FINE }
}

// Lines of `length` numbers to lines an eighth as long; the lines come out as columns.
function squeezed(d, lines, length, step) {
  const count = length / FINE, out = new Float32Array(lines * count)
  for (let i = 0; i < count; i++) {
    const centre = (i + 0.5) * FINE, from = Math.max(0, Math.round(centre - 2 * FINE))
    const to = Math.min(length, Math.round(centre + 2 * FINE)), weights = []
    for (let k = from; k < to; k++) weights.push(cubic((k + 0.5 - centre) / FINE))
    const all = weights.reduce((sum, one) => sum + one, 0)
    for (let line = 0; line < lines; line++) {
      let sum = 0
      for (let k = from; k < to; k++) sum += weights[k - from] * (step === 1 ? d[line * length + k] : d[k * step + line])
      out[step === 1 ? line * count + i : i * step + line] = Math.round(255 * Math.min(1, Math.max(0, sum / all))) / 255
    }
  }
  return { d: out, count }
}

function centredInk({ d, wide, high }, canvas, height, width) { // centre of mass into the middle
  let mass = 0, down = 0, right = 0
  for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) {
    mass += d[y * wide + x]; down += y * d[y * wide + x]; right += x * d[y * wide + x]
  }
  const place = (side, centre, own) => Math.min(side - own, Math.max(0, roundHalfEven(side / 2 - centre / mass)))
  const top = place(height, down, high), left = place(width, right, wide)
  for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) canvas[(top + y) * width + left + x] = d[y * wide + x]
  return canvas
}

const roundHalfEven = value => {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + floor % 2 : Math.round(value)
}
