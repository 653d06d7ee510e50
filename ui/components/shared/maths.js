// Mathematics of the components that compute by themselves: layers of networks, symmetric 2 by 2
// matrices, mixtures of diagonal normals in the plane, seeded normals. Needs nothing; no page either.
// A layer takes (x, options, weights), x and weights being { d: typed array, s: shape }, rows first.

const LOG_TWO_PI = Math.log(2 * Math.PI);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const like = (x, size) => new x.d.constructor(size);

// ---- layers

const layers = {
  // x [n, in], weight [out, in], bias [out] or none
  linear: (x, _, [weight, bias]) => {
    const [n, size] = x.s, out = weight.s[0], d = like(x, n * out);
    for (let i = 0; i < n; i++) for (let o = 0; o < out; o++) {
      let value = bias ? bias.d[o] : 0;
      for (let k = 0; k < size; k++) value += x.d[i * size + k] * weight.d[o * size + k];
      d[i * out + o] = value;
    }
    return { d, s: [n, out] };
  },
  silu: (x) => ({ d: x.d.map((value) => value / (1 + Math.exp(-value))), s: x.s }),
  softplus: (x) => ({ d: x.d.map((value) => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)))), s: x.s }),
  // over the last axis
  layerNorm: (x, { eps = 1e-5 } = {}, [weight, bias]) => {
    const size = x.s.at(-1), d = like(x, x.d.length);
    for (let at = 0; at < d.length; at += size) {
      const row = x.d.subarray(at, at + size), mean = sum([...row]) / size;
      const scale = Math.sqrt(sum([...row].map((value) => (value - mean) ** 2)) / size + eps);
      for (let k = 0; k < size; k++) d[at + k] = (row[k] - mean) / scale * weight.d[k] + bias.d[k];
    }
    return { d, s: x.s };
  },
  // tokens [n, width]; keys where `kept` is false are not looked at, all are where none is kept
  attention: (x, { heads, kept }, [toAll, toAllBias, out, outBias]) => {
    const [n, width] = x.s, size = width / heads, all = layers.linear(x, {}, [toAll, toAllBias]);
    const seen = kept && kept.some(Boolean) ? kept : Array(n).fill(true), d = like(x, n * width);
    const at = (row, part, head) => row * 3 * width + part * width + head * size;
    for (let head = 0; head < heads; head++) for (let i = 0; i < n; i++) {
      const scores = seen.map((one, j) => {
        if (!one) return -Infinity;
        let value = 0;
        for (let k = 0; k < size; k++) value += all.d[at(i, 0, head) + k] * all.d[at(j, 1, head) + k];
        return value / Math.sqrt(size);
      });
      softmax(scores).forEach((share, j) => {
        for (let k = 0; k < size; k++) d[i * width + head * size + k] += share * all.d[at(j, 2, head) + k];
      });
    }
    return layers.linear({ d, s: x.s }, {}, [out, outBias]);
  },
  add: (x, other) => ({ d: x.d.map((value, at) => value + other.d[at]), s: x.s }),
};

// Linear layers with SiLU between them, weights [weight, bias, weight, bias, ..].
function mlp(x, _, weights) {
  for (let at = 0; at < weights.length; at += 2) {
    if (at) x = layers.silu(x);
    x = layers.linear(x, {}, weights.slice(at, at + 2));
  }
  return x;
}

function logSumExp(values) {
  const top = Math.max(...values);
  return top === -Infinity ? top : top + Math.log(sum(values.map((value) => Math.exp(value - top))));
}

function softmax(values) {
  const total = logSumExp(values);
  return values.map((value) => Math.exp(value - total));
}

// ---- symmetric 2 by 2 matrices as [xx, xy, yy]

const plus = (a, b) => a.map((value, at) => value + b[at]);
const determinant = ([a, b, c]) => a * c - b * b;
function inverse(matrix) {
  const [a, b, c] = matrix, size = determinant(matrix);
  return [c / size, -b / size, a / size];
}
const times = ([a, b, c], [x, y]) => [a * x + b * y, b * x + c * y];
const dot = ([a, b], [x, y]) => a * x + b * y;
const quadratic = (matrix, point) => dot(point, times(matrix, point));

// Standard deviations along the two axes of an ellipse, the longer first, and the first's angle.
function ellipseOf([a, b, c]) {
  const middle = (a + c) / 2, apart = Math.hypot((a - c) / 2, b);
  return { long: Math.sqrt(middle + apart), short: Math.sqrt(Math.max(middle - apart, 0)),
    angle: 0.5 * Math.atan2(2 * b, a - c) };
}

// ---- densities in nats; a mixture is { logWeights, locs, scales }, of diagonal normals in the plane

const one = (loc, scale) => ({ logWeights: [0], locs: [loc], scales: [scale] });

function logNormal(x, loc, scale) {
  let value = 0;
  for (let k = 0; k < x.length; k++) {
    const error = (x[k] - loc[k]) / scale[k];
    value -= 0.5 * (error * error + LOG_TWO_PI) + Math.log(scale[k]);
  }
  return value;
}

const logMixture = (point, q) =>
  logSumExp(q.logWeights.map((weight, at) => weight + logNormal(point, q.locs[at], q.scales[at])));

// E_q[log r]: by formula where r is one normal, else by a rule { places, weights } for N(0, 1) along
// each axis. The axes are apart in every component, so that densities are products of two tables.
function crossLog(q, r, rule) {
  if (!crossed.has(q)) crossed.set(q, new Map());
  const known = crossed.get(q);
  if (!known.has(r)) known.set(r, sum(q.logWeights.map((logWeight, at) => {
    const loc = q.locs[at], scale = q.scales[at];
    return Math.exp(logWeight) * (r.logWeights.length === 1
      ? expectedNormal(loc, scale, r.locs[0], r.scales[0]) : expectedMixture(loc, scale, r, rule));
  })));
  return known.get(r);
}

const crossed = new WeakMap(); // what was asked of a mixture before; mixtures are never changed

const expectedNormal = (loc, scale, other, wide) => sum(loc.map((value, k) => -0.5 * (LOG_TWO_PI
  + ((value - other[k]) ** 2 + scale[k] ** 2) / wide[k] ** 2) - Math.log(wide[k])));

function expectedMixture(loc, scale, r, { places, weights }) {
  const count = r.logWeights.length, nodes = places.length;
  const [across, up] = [0, 1].map((k) => tableOf(places.map((place) => loc[k] + scale[k] * place), r, k));
  const chances = r.logWeights.map(Math.exp);
  let value = 0;
  for (let i = 0; i < nodes; i++) for (let j = 0; j < nodes; j++) {
    let density = 0;
    for (let c = 0; c < count; c++) density += chances[c] * across.d[i * count + c] * up.d[j * count + c];
    value += weights[i] * weights[j] * (density > 1e-280 ? Math.log(density) + across.top[i] + up.top[j]
      : logMixture([loc[0] + scale[0] * places[i], loc[1] + scale[1] * places[j]], r));
  }
  return value;
}

// The components' densities along an axis [point, component], each row's highest taken out of it.
function tableOf(points, r, k) {
  const count = r.logWeights.length, d = new Float64Array(points.length * count), top = new Float64Array(points.length);
  const steep = r.scales.map((scale) => -0.5 / scale[k] ** 2);
  const least = r.scales.map((scale) => -0.5 * LOG_TWO_PI - Math.log(scale[k]));
  for (let i = 0; i < points.length; i++) {
    const row = i * count;
    let most = -Infinity;
    for (let c = 0; c < count; c++) {
      const error = points[i] - r.locs[c][k], value = steep[c] * error * error + least[c];
      d[row + c] = value;
      if (value > most) most = value;
    }
    for (let c = 0; c < count; c++) d[row + c] = Math.exp(d[row + c] - most);
    top[i] = most;
  }
  return { d, top };
}

// Places and weights of E f(t), t ~ N(0, 1): Gauss-Hermite, `nodes` of them, the highest first.
function hermiteRule(nodes) {
  const place = [], weight = [];
  for (let i = 0; i < nodes; i++) {
    // Newton's method from above, on the normalised Hermite polynomials.
    let x = hermiteStart(i, nodes, place), slope = 1;
    for (let round = 0; round < 100; round++) {
      let last = 0, value = 1;
      for (let k = 1; k <= nodes; k++) [last, value] = [value, (x * value - Math.sqrt(k - 1) * last) / Math.sqrt(k)];
      slope = Math.sqrt(nodes) * last;
      // zeros that are known are divided out, so that none is found twice
      const step = value / (slope - value * sum(place.map((known) => 1 / (x - known))));
      x -= step;
      if (Math.abs(step) < 1e-15 * (1 + Math.abs(x))) break;
    }
    place.push(x);
    weight.push(1 / (slope * slope) * nodes);
  }
  const total = sum(weight);
  return { places: place, weights: weight.map((value) => value / total) };
}

const hermiteStart = (i, nodes, place) =>
  i === 0 ? Math.sqrt(4 * nodes + 2) : place[i - 1] - 0.1 / Math.sqrt(nodes);

// ---- seeded normals

// A function that gives standard normal numbers; equal seeds, equal numbers (mulberry32, Box-Muller).
function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

export { layers, mlp, logSumExp, softmax, plus, determinant, inverse, times, dot, quadratic, ellipseOf,
  one, logNormal, logMixture, crossLog, hermiteRule, normals, sum, like };
