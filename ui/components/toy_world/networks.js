// The learned rules: networks whose weights come with the page, over what each modality tells. The
// same as mmvae_core/explore/toy_networks.py. Follows maths.js and world.js.

// Weights by name as { d, s }: half floats in base64, one after the other.
function weightsOf({ shapes, halves }) {
  const bytes = Uint8Array.from(atob(halves), (letter) => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  let at = 0;
  return Object.fromEntries(shapes.map(([name, s]) => {
    const d = new Float64Array(s.reduce((size, length) => size * length, 1));
    for (let k = 0; k < d.length; k++, at += 2) d[k] = halfOf(view.getUint16(at, true));
    return [name, { d, s }];
  }));
}

function halfOf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, power = (bits >> 10) & 31, part = bits & 1023;
  if (power === 31) return part ? NaN : sign * Infinity;
  return sign * (power ? (1 + part / 1024) * 2 ** (power - 15) : part * 2 ** -24);
}

const pair = (w, name) => [w[`${name}.weight`], w[`${name}.bias`]];
const chain = (w, name) => [0, 2].flatMap((at) => pair(w, `${name}.${at}`));

// A x + mlp(x), A the identity where the weights have none
function residual(x, w, name) {
  const straight = w[`${name}.straight.weight`] ? layers.linear(x, {}, pair(w, `${name}.straight`)) : x;
  return layers.add(straight, mlp(x, {}, chain(w, `${name}.branch`)));
}

function pooled(tokens) {
  const [n, width] = tokens.s, d = new Float64Array(width);
  for (let i = 0; i < n; i++) for (let k = 0; k < width; k++) d[k] += tokens.d[i * width + k];
  return { d, s: [1, width] };
}

const blocks = {
  sum_pooling: (x, w) => residual(x, w, "chi"),
  self_attention: (x, w) => {
    let tokens = layers.linear(x, {}, pair(w, "embed"));
    for (let at = 0; `blocks.${at}.out.weight` in w; at++) {
      const name = `blocks.${at}`, norm = layers.layerNorm(tokens, {}, pair(w, `${name}.norm_attention`));
      tokens = layers.add(tokens, layers.attention(norm, { heads: HEADS },
        [...pair(w, `${name}.to_query_key_value`), ...pair(w, `${name}.out`)]));
      tokens = layers.add(tokens, mlp(layers.layerNorm(tokens, {}, pair(w, `${name}.norm_mlp`)), {}, chain(w, `${name}.body`)));
    }
    return tokens;
  },
};
const HEADS = 2, LEAST_SCALE = 1e-3;

// Features of the shown modalities [n, 10] to the place and the scales of a normal.
function networkOf(name, packed) {
  const w = weightsOf(packed);
  return (x) => {
    const tokens = x.s[0] ? blocks[name](x, w) : { d: new Float64Array(0), s: [0, w["rho.branch.0.weight"].s[1]] };
    const found = layers.linear(residual(pooled(tokens), w, "rho"), {}, pair(w, "head.linear"));
    const scale = layers.softplus({ d: found.d.slice(2), s: [1, 2] });
    return [[...found.d.slice(0, 2)], [...scale.d].map((value) => value + LEAST_SCALE)];
  };
}

// Numbers that the networks are given of a modality.
function featuresOf({ precision, shift }) {
  const covariance = inverse(plus([1, 0, 1], precision)), mean = times(covariance, shift);
  return [...[...precision, ...shift].map((value) => value / 10), ...mean, ...covariance];
}

function learnedOf(stats, mask, network) {
  const rows = stats.filter((_, m) => mask[m]).map(featuresOf);
  return one(...network({ d: Float64Array.from(rows.flat()), s: [rows.length, 10] }));
}

export { weightsOf, halfOf, networkOf, featuresOf };
