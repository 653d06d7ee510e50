// Tensors are { d: Float32Array, s: [n, ...] }. `LAYERS` maps a step's `op` to what it does to n rows
// at once: (x, step) => tensor, where a step's weights are tensors too.

const size = shape => shape.reduce((product, one) => product * one, 1)

function halfToFloat(halves) { // exact, subnormal numbers too
  const floats = new Float32Array(halves.length), bits = new Uint32Array(floats.buffer)
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i], sign = (half & 0x8000) << 16, exponent = (half >> 10) & 31, rest = half & 1023
    if (exponent) bits[i] = sign | (exponent === 31 ? 0x7f800000 : (exponent + 112) << 23) | (rest << 13)
    else floats[i] = (sign ? -rest : rest) * 2 ** -24
  }
  return floats
}

function swapped(values, n, rows, columns) { // [n, rows, columns] to [n, columns, rows]
  const out = new Float32Array(values.length)
  for (let i = 0; i < n; i++) {
    const at = i * rows * columns
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) out[at + c * rows + r] = values[at + r * columns + c]
  }
  return out
}

// Every patch that a kernel sees as a row: [n * out height * out width, channels * k * k].
function patches(x, k, stride, padding, high, wide) {
  const [n, channels, height, width] = x.s, rows = new Float32Array(n * high * wide * channels * k * k)
  let at = 0
  for (let i = 0; i < n; i++) for (let y = 0; y < high; y++) for (let z = 0; z < wide; z++)
    for (let c = 0; c < channels; c++) for (let dy = 0; dy < k; dy++) {
      const from = y * stride + dy - padding, row = ((i * channels + c) * height + from) * width
      const seen = from >= 0 && from < height
      for (let dz = 0; dz < k; dz++, at++) {
        const across = z * stride + dz - padding
        if (seen && across >= 0 && across < width) rows[at] = x.d[row + across]
      }
    }
  return rows
}

function convolution(x, { weight, bias, stride, padding }) {
  const [n, channels, height, width] = x.s, [out, , k] = weight.s
  const high = Math.floor((height + 2 * padding - k) / stride) + 1
  const wide = Math.floor((width + 2 * padding - k) / stride) + 1
  const rows = patches(x, k, stride, padding, high, wide)
  const made = product(rows, weight.d, bias?.d, n * high * wide, out, channels * k * k)
  return { d: swapped(made, n, high * wide, out), s: [n, out, high, wide] }
}

function transposedConvolution(x, { weight, bias, stride, padding }) {
  const [n, channels, height, width] = x.s, [, out, k] = weight.s, spread = out * k * k
  weight.turned ??= swapped(weight.d, 1, channels, spread)
  const made = product(swapped(x.d, n, channels, height * width), weight.turned, null, n * height * width, spread, channels)
  const high = (height - 1) * stride - 2 * padding + k, wide = (width - 1) * stride - 2 * padding + k
  const d = new Float32Array(n * out * high * wide)
  if (bias) for (let i = 0; i < n * out; i++) d.fill(bias.d[i % out], i * high * wide, (i + 1) * high * wide)
  let at = 0
  for (let i = 0; i < n; i++) for (let y = 0; y < height; y++) for (let z = 0; z < width; z++)
    for (let c = 0; c < out; c++) for (let dy = 0; dy < k; dy++) {
      const to = y * stride + dy - padding, row = ((i * out + c) * high + to) * wide
      const inside = to >= 0 && to < high
      for (let dz = 0; dz < k; dz++, at++) {
        const across = z * stride + dz - padding
        if (inside && across >= 0 && across < wide) d[row + across] += made[at]
      }
    }
  return { d, s: [n, out, high, wide] }
}

function pixelShuffle(x, { factor }) {
  const [n, channels, height, width] = x.s, out = channels / (factor * factor), d = new Float32Array(x.d.length)
  let at = 0
  for (let i = 0; i < n; i++) for (let c = 0; c < out; c++)
    for (let a = 0; a < factor; a++) for (let b = 0; b < factor; b++)
      for (let y = 0; y < height; y++) for (let z = 0; z < width; z++)
        d[(((i * out + c) * height + y) * factor + a) * width * factor + z * factor + b] = x.d[at++]
  return { d, s: [n, out, height * factor, width * factor] }
}

function layerNorm(x, { weight, bias, eps }) { // over the last axis
  const width = x.s[x.s.length - 1], d = new Float32Array(x.d.length)
  for (let at = 0; at < d.length; at += width) {
    let mean = 0, variance = 0
    for (let i = 0; i < width; i++) mean += x.d[at + i]
    mean /= width
    for (let i = 0; i < width; i++) variance += (x.d[at + i] - mean) ** 2
    const over = 1 / Math.sqrt(variance / width + eps)
    for (let i = 0; i < width; i++) d[at + i] = (x.d[at + i] - mean) * over * weight.d[i] + (bias ? bias.d[i] : 0)
  }
  return { d, s: x.s }
}

function softmax(values, width) { // of every row of `width` numbers, in place
  for (let at = 0; at < values.length; at += width) {
    let top = -Infinity, sum = 0
    for (let i = at; i < at + width; i++) top = Math.max(top, values[i])
    for (let i = at; i < at + width; i++) sum += values[i] = Math.exp(values[i] - top)
    for (let i = at; i < at + width; i++) values[i] /= sum
  }
  return values
}

// Tokens [n, member, width] before and after one block: attention, then an MLP, each with a residual.
function attention(x, step) {
  const [n, members, width] = x.s, { heads } = step, each = width / heads
  const all = apply(step.to_query_key_value, apply(step.norm_attention, x)).d
  const mixed = new Float32Array(n * members * width), scores = new Float64Array(members)
  for (let i = 0; i < n; i++) for (let h = 0; h < heads; h++) for (let q = 0; q < members; q++) {
    const query = (i * members + q) * 3 * width + h * each
    for (let k = 0; k < members; k++) {
      const key = (i * members + k) * 3 * width + width + h * each
      let sum = 0
      for (let e = 0; e < each; e++) sum += all[query + e] * all[key + e]
      scores[k] = sum / Math.sqrt(each)
    }
    softmax(scores, members)
    for (let k = 0; k < members; k++) {
      const value = (i * members + k) * 3 * width + 2 * width + h * each
      for (let e = 0; e < each; e++) mixed[(i * members + q) * width + h * each + e] += scores[k] * all[value + e]
    }
  }
  const seen = plus(x, apply(step.out, { d: mixed, s: x.s }))
  return plus(seen, apply(step.body, apply(step.norm_mlp, seen)))
}

function plus(x, y) {
  const d = new Float32Array(x.d.length)
  for (let i = 0; i < d.length; i++) d[i] = x.d[i] + y.d[i]
  return { d, s: x.s }
}

function each(x, how) {
  const d = new Float32Array(x.d.length)
  for (let i = 0; i < d.length; i++) d[i] = how(x.d[i])
  return { d, s: x.s }
}

function oneHot(x, { symbols }) {
  const d = new Float32Array(x.d.length * symbols)
  for (let i = 0; i < x.d.length; i++) if (x.d[i] >= 0) d[i * symbols + x.d[i]] = 1 // below zero: missing
  return { d, s: [...x.s, symbols] }
}

function standardise(x, { mean, scale }) { // mean and scale of a row, or of each of its channels
  const d = new Float32Array(x.d.length), row = x.d.length / x.s[0], run = row / mean.d.length
  for (let i = 0; i < d.length; i++) {
    const at = Math.floor((i % row) / run)
    d[i] = (x.d[i] - mean.d[at]) / scale.d[at]
  }
  return { d, s: x.s }
}

function inUnits(x, { centre, spread }) { // of each entry of a row
  const d = new Float32Array(x.d.length), row = centre.d.length
  for (let i = 0; i < d.length; i++) d[i] = centre.d[i % row] + spread.d[i % row] * x.d[i]
  return { d, s: x.s }
}

function linear(x, { weight, bias }) { // over the last axis
  const [out, width] = weight.s
  return { d: product(x.d, weight.d, bias?.d, x.d.length / width, out, width), s: [...x.s.slice(0, -1), out] }
}

const LAYERS = {
  linear, convolution, attention, standardise,
  transposed_convolution: transposedConvolution,
  pixel_shuffle: pixelShuffle,
  layer_norm: layerNorm,
  one_hot: oneHot,
  log1p: x => each(x, value => Math.log1p(Math.max(0, value))),
  no_gaps: x => each(x, value => Number.isNaN(value) ? 0 : value), // what is missing is the mean
  sigmoid: x => each(x, value => 1 / (1 + Math.exp(-value))),
  softmax: x => ({ d: softmax(x.d, x.s[x.s.length - 1]), s: x.s }),
  in_units: inUnits,
  rate: x => each(x, value => Math.exp(Math.min(30, value))),
  share: (x, { total }) => each({ d: softmax(x.d, size(x.s.slice(1))), s: x.s }, value => total.d[0] * value),
  silu: x => each(x, value => value / (1 + Math.exp(-value))),
  leaky_relu: (x, { slope }) => each(x, value => value > 0 ? value : slope * value),
  flatten: x => ({ d: x.d, s: [x.s[0], size(x.s.slice(1))] }),
  reshape: (x, { to }) => ({ d: x.d, s: [x.s[0], ...to] }),
  add: (x, { parts }) => parts.map(steps => apply(steps, x)).reduce(plus),
}

const apply = (steps, x) => steps.reduce((value, step) => LAYERS[step.op](value, step), x)
