// Moments and draws of posteriors, and what decoders make of latents.

// Mean and standard deviation [latent]; of private latents given the mean of the shared ones.
function moments(model, posterior) {
  const latent = sharedSize(model), mean = new Float64Array(latent), square = new Float64Array(latent)
  const factor = posterior.family === "laplace" ? 2 : 1
  posterior.weights.forEach((weight, k) => {
    for (let i = 0; i < latent; i++) mean[i] += weight * posterior.loc[k * latent + i]
  })
  posterior.weights.forEach((weight, k) => {
    for (let i = 0; i < latent; i++) {
      const at = k * latent + i
      square[i] += weight * (factor * posterior.scale[at] ** 2 + (posterior.loc[at] - mean[i]) ** 2)
    }
  })
  const shared = { mean: Float32Array.from(mean), stddev: Float32Array.from(square, Math.sqrt) }
  if (!posterior.private) return withOwn(model, shared)
  const { loc, scale } = ownLatents(model, posterior.private, shared.mean, 1), { mask } = posterior.private
  const spread = model.aggregator.private.family === "laplace" ? Math.SQRT2 : 1
  const kept = (_, at) => mask[Math.floor(at / model.private)]
  return {
    mean: joined([shared.mean, loc.map((value, at) => kept(0, at) ? value : 0)]),
    stddev: joined([shared.stddev, scale.map((value, at) => kept(0, at) ? spread * value : 1)]),
  }
}

const withOwn = (model, { mean, stddev }) => {
  const count = model.prior.private ?? 0
  return count ? { mean: joined([mean, new Float32Array(count)]), stddev: joined([stddev, new Float32Array(count).fill(1)]) }
    : { mean, stddev }
}

// Draws m + t (z - m) [count, latent] as the core's from the same seed; t is the temperature.
function drawn(model, posterior, count, seed, temperature = 1) {
  const generator = new Generator(seed), shared = sharedDraws(model, posterior, count, generator)
  let z = shared
  if (posterior.private) z = besideOwn(model, shared, ownDraws(model, posterior.private, shared, count, generator), count)
  else if (model.prior.private) z = besideOwn(model, shared, generator.normals(count * model.prior.private), count)
  if (temperature === 1) return z
  const { mean } = moments(model, posterior)
  return z.map((value, at) => mean[at % model.latent] + temperature * (value - mean[at % model.latent]))
}

function sharedDraws(model, posterior, count, generator) {
  const latent = sharedSize(model), noise = posterior.family === "laplace"
    ? generator.laplaces(count * latent) : generator.normals(count * latent)
  const picks = posterior.mixture ? generator.picks(posterior.weights, count) : new Array(count).fill(0)
  return noise.map((value, at) => {
    const from = picks[Math.floor(at / latent)] * latent + at % latent
    return posterior.loc[from] + posterior.scale[from] * value
  })
}

function ownDraws(model, own, shared, count, generator) {
  const { loc, scale } = ownLatents(model, own, shared, count), total = loc.length
  const seen = model.aggregator.private.family === "laplace" ? generator.laplaces(total) : generator.normals(total)
  const unseen = generator.normals(total)
  return seen.map((value, at) => {
    const modality = Math.floor(at / model.private) % model.names.length
    return own.mask[modality] ? loc[at] + scale[at] * value : unseen[at]
  })
}

function besideOwn(model, shared, own, count) {
  const latent = sharedSize(model), rest = model.latent - latent, parts = []
  for (let row = 0; row < count; row++)
    parts.push(shared.subarray(row * latent, (row + 1) * latent), own.subarray(row * rest, (row + 1) * rest))
  return joined(parts)
}

// Location and scale [count, modality, private] of the members' private latents given shared ones.
function ownLatents(model, { mask, features }, shared, count) {
  const net = model.aggregator.private, latent = sharedSize(model), modalities = mask.length
  const width = features.find(Boolean)?.length ?? outputs(model.modalities[0].encoder)
  const blank = new Float32Array(width)
  const known = rows(features.map((one, index) => mask[index] && one ? one : blank))
  const inside = OWN[net.rule](net, known, mask, { d: shared, s: [count, latent] })
  const values = apply(net.head.linear, inside).d, each = model.private, all = values.length / (2 * each)
  const loc = new Float32Array(count * modalities * each), scale = loc.slice()
  for (let row = 0; row < count * modalities; row++) {
    const from = (row % all) * 2 * each
    for (let i = 0; i < each; i++) {
      loc[row * each + i] = values[from + i]
      scale[row * each + i] = softplus(values[from + each + i]) + LEAST_SCALE
    }
  }
  return { loc, scale }
}

const OWN = {
  plain: (net, known) => known,
  sum_pooling: (net, known, mask, shared) => {
    const others = apply(net.others, known), own = apply(net.own, known), given = apply(net.shared, shared)
    const width = others.s[1], count = shared.s[0], d = new Float32Array(count * mask.length * width)
    for (let i = 0; i < d.length; i++) {
      const column = i % width, modality = Math.floor(i / width) % mask.length, row = Math.floor(i / width / mask.length)
      let sum = own.d[modality * width + column] + given.d[row * width + column]
      mask.forEach((kept, other) => { if (kept) sum += others.d[other * width + column] })
      d[i] = sum
    }
    return apply(net.rho, { d, s: [count * mask.length, width] })
  },
  self_attention: (net, known, mask, shared) => {
    const tokens = apply(net.embed, known), given = apply(net.shared, shared), width = tokens.s[1]
    const shown = mask.map((kept, index) => kept ? index : -1).filter(index => index >= 0), count = shared.s[0]
    const out = new Float32Array(count * mask.length * width)
    if (!shown.length) return { d: out, s: [count * mask.length, width] }
    const d = new Float32Array(count * shown.length * width)
    for (let row = 0; row < count; row++) shown.forEach((modality, place) => {
      for (let i = 0; i < width; i++)
        d[(row * shown.length + place) * width + i] = tokens.d[modality * width + i] + given.d[row * width + i]
    })
    const seen = apply(net.rho, apply(net.norm, apply(net.blocks, { d, s: [count, shown.length, width] }))).d
    for (let row = 0; row < count; row++) shown.forEach((modality, place) =>
      out.set(seen.subarray((row * shown.length + place) * width, (row * shown.length + place + 1) * width),
        (row * mask.length + modality) * width))
    return { d: out, s: [count * mask.length, width] }
  },
}

// E[x | z] of each modality (or those of the given numbers) at latents [count, latent].
function decode(model, latents, indices = model.modalities.map((_, index) => index)) {
  const count = latents.length / model.latent
  return indices.map(index => {
    const part = model.modalities[index], seen = part.columns.length ? picked(model, latents, part.columns, count)
      : { d: latents, s: [count, model.latent] }
    return apply(part.mean, apply(part.decoder, seen)).d
  })
}

function picked(model, latents, columns, count) {
  const parts = []
  for (let row = 0; row < count; row++)
    for (const [start, stop] of columns) parts.push(latents.subarray(row * model.latent + start, row * model.latent + stop))
  const d = joined(parts)
  return { d, s: [count, d.length / count] }
}
