// A run as mmvae_core.export.arrays packs it: from values to posteriors, draws and pictures.
//
// A posterior is { family, mixture, weights [K], loc [K, latent], scale [K, latent] }, Float32Arrays,
// with one component where it is no mixture; `private` is added where modalities have latents of
// their own, and needs the features of the shown ones.

const LEAST_SCALE = 1e-3

function readModel(buffer) {
  const head = new DataView(buffer).getUint32(0, true)
  const manifest = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, head)))
  return modelOf(manifest, new Uint16Array(buffer.slice(4 + head)))
}

function modelOf(manifest, halves) {
  const model = { ...manifest }, numbers = halfToFloat(halves)
  const found = {}
  for (const [name, { at, shape }] of Object.entries(model.arrays))
    found[name] = { d: numbers.subarray(at, at + size(shape)), s: shape }
  for (const [name, { d }] of Object.entries(found)) // what half precision is too coarse for
    found[`${name}.rest`]?.d.forEach((rest, i) => { d[i] += rest })
  const fill = part => { // names of arrays become the arrays
    if (Array.isArray(part)) return part.map(fill)
    if (part === null || typeof part !== "object") return part
    return Object.fromEntries(Object.entries(part).map(([key, value]) =>
      [key, typeof value === "string" && key !== "op" && key in HOLDERS && found[value] ? found[value] : fill(value)]))
  }
  for (const key of ["modalities", "aggregator", "prior"]) model[key] = fill(model[key])
  model.private = (model.prior.private ?? 0) / model.names.length
  model.base = priorOf(model)
  return model
}

const HOLDERS = { weight: 1, bias: 1, mean: 1, scale: 1, logits: 1, loc: 1, raw_scale: 1, centre: 1, spread: 1, total: 1 }

const sharedSize = model => model.latent - (model.prior.private ?? 0)
const softplus = value => value > 20 ? value : Math.log1p(Math.exp(value))

// p(z) of the shared latents.
function priorOf(model) {
  const { family, logits, loc, raw_scale } = model.prior
  if (!logits) return one(family, new Float32Array(sharedSize(model)), new Float32Array(sharedSize(model)).fill(1))
  const scale = Float32Array.from(raw_scale.d, value => softplus(value) + LEAST_SCALE)
  return { family, mixture: true, weights: softmax(Float32Array.from(logits.d), logits.d.length), loc: loc.d, scale }
}

const one = (family, loc, scale) => ({ family, mixture: false, weights: Float32Array.of(1), loc, scale })

// The features of a value of modality number `index`: pictures 0..1, codes, or numbers, flat.
function encode(model, index, value) {
  const part = model.modalities[index]
  return apply(part.encoder, { d: Float32Array.from(value), s: [1, ...part.item] }).d
}

// q(z | x_S) for features [modality] (null where nothing is known) and masks [mask][modality].
function posteriors(model, features, masks) {
  const { aggregator } = model, made = FUSIONS[aggregator.rule](model, features, masks)
  return made.map((posterior, row) => {
    const found = aggregator.prior_product && LEARNED.has(aggregator.rule)
      ? timesPrior(model, posterior, masks[row].some(Boolean)) : posterior
    return model.private ? { ...found, private: { mask: masks[row], features } } : found
  })
}

const LEARNED = new Set(["sum_pooling", "self_attention", "concatenation"])

const FUSIONS = {
  poe: (model, features, masks) => {
    const found = experts(model, features)
    return masks.map(mask => timesExperts(gaussianBase(model), ...naturals(model, found, mask)))
  },
  moe: (model, features, masks) => {
    const found = experts(model, features)
    return masks.map(mask => mixtureOfExperts(model, found, mask))
  },
  mopoe: (model, features, masks) => {
    const found = experts(model, features)
    return masks.map(mask => weighted(subsetsOf(mask).map(part =>
      timesExperts(gaussianBase(model), ...naturals(model, found, part)))))
  },
  sum_pooling: (model, features, masks) => {
    const { chi } = model.aggregator
    const known = features.map(one => one && apply(chi, { d: one, s: [1, one.length] }).d)
    const width = outputs(chi)
    return readHeads(model, rows(masks.map(mask => summed(members(known, mask), width))))
  },
  self_attention: (model, features, masks) => {
    const { embed, blocks, norm } = model.aggregator, width = outputs(embed)
    const known = features.map(one => one && apply(embed, { d: one, s: [1, one.length] }).d)
    return readHeads(model, rows(masks.map(mask => {
      const shown = members(known, mask)
      if (!shown.length) return new Float32Array(width)
      const tokens = apply(norm, apply(blocks, { d: joined(shown), s: [1, shown.length, width] })).d
      return summed(shown.map((_, row) => tokens.subarray(row * width, (row + 1) * width)), width)
    })))
  },
  concatenation: (model, features, masks) => {
    const places = outputs(model.modalities[0].encoder) || model.aggregator.rho[0].weight.s[1] / masks[0].length - 1
    return readHeads(model, rows(masks.map(mask => joined([
      ...mask.map((kept, index) => kept ? features[index] : new Float32Array(places)), Float32Array.from(mask, Number),
    ]))))
  },
}

const members = (values, mask) => values.filter((_, index) => mask[index])
const rows = parts => ({ d: joined(parts), s: [parts.length, parts[0].length] })

function outputs(steps) { // the width of what a network gives
  for (const step of [...steps].reverse()) {
    if (step.op === "linear") return step.weight.s[0]
    if (step.op === "layer_norm") return step.weight.s[0]
    if (step.op === "add") return outputs(step.parts[1])
  }
  return 0
}

function joined(parts) {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) { out.set(part, at); at += part.length }
  return out
}

function summed(parts, width) {
  const out = new Float32Array(width)
  for (const part of parts) for (let i = 0; i < width; i++) out[i] += part[i]
  return out
}

function readHeads(model, pooled) {
  const { rho, head } = model.aggregator, { components, mixture, family } = head
  const values = apply(head.linear, apply(rho, pooled)), width = values.s[1], latent = sharedSize(model)
  const first = mixture ? components : 0, each = components * latent
  return Array.from({ length: pooled.s[0] }, (_, row) => {
    const at = row * width
    const loc = values.d.slice(at + first, at + first + each)
    const scale = values.d.slice(at + first + each, at + width).map(value => softplus(value) + LEAST_SCALE)
    const weights = mixture ? softmax(values.d.slice(at, at + first), first) : Float32Array.of(1)
    return { family, mixture, weights, loc, scale }
  })
}

// Location and scale of one expert per modality, null where nothing is known.
function experts(model, features) {
  const latent = sharedSize(model)
  return features.map(one => {
    if (!one) return null
    const values = apply(model.aggregator.head.linear, { d: one, s: [1, one.length] }).d
    return { loc: values.slice(0, latent), scale: scalesOf(values.slice(latent), model.aggregator.head.scales) }
  })
}

function scalesOf(raw, form) { // changes raw
  if (form === "log_variance") return raw.map(value => Math.exp(value / 2))
  if (form === "softmax") return softmax(raw, raw.length).map(value => value * raw.length + 1e-6)
  return raw.map(value => softplus(value) + LEAST_SCALE)
}

function naturals(model, found, mask) { // precision and shift of the product of the members' experts
  const latent = sharedSize(model), precision = new Float64Array(latent), shift = new Float64Array(latent)
  members(found, mask).forEach(({ loc, scale }) => {
    for (let i = 0; i < latent; i++) {
      const own = 1 / (scale[i] * scale[i])
      precision[i] += own
      shift[i] += own * loc[i]
    }
  })
  return [precision, shift]
}

// What a product of normals builds upon: the prior, or the standard normal where it is of another family.
function gaussianBase(model) {
  if (model.base.family === "normal") return model.base
  const latent = sharedSize(model)
  return one("normal", new Float32Array(latent), new Float32Array(latent).fill(1))
}

// The normalised product of a prior's components and experts, in natural parameters.
function timesExperts(prior, precision, shift) {
  const latent = precision.length, count = prior.weights.length
  const loc = new Float32Array(count * latent), scale = new Float32Array(count * latent)
  const logits = new Float64Array(count)
  for (let k = 0; k < count; k++) {
    let evidence = 0
    for (let i = 0; i < latent; i++) {
      const at = k * latent + i, own = 1 / (prior.scale[at] * prior.scale[at]), total = own + precision[i]
      loc[at] = (own * prior.loc[at] + shift[i]) / total
      scale[at] = 1 / Math.sqrt(total)
      const away = precision[i] * prior.loc[at] - shift[i]
      evidence += Math.log(own / total) - own * away * away / (total * (precision[i] || 1))
    }
    logits[k] = Math.log(prior.weights[k]) + 0.5 * evidence
  }
  return { family: "normal", mixture: prior.mixture, weights: Float32Array.from(softmax(logits, count)), loc, scale }
}

function timesPrior(model, posterior, shown) {
  const latent = sharedSize(model), parts = []
  for (let k = 0; k < posterior.weights.length; k++) {
    const precision = new Float64Array(latent), shift = new Float64Array(latent)
    for (let i = 0; shown && i < latent; i++) {
      const at = k * latent + i
      precision[i] = 1 / (posterior.scale[at] * posterior.scale[at])
      shift[i] = precision[i] * posterior.loc[at]
    }
    parts.push(timesExperts(gaussianBase(model), precision, shift))
  }
  return posterior.mixture ? weighted(parts, posterior.weights) : parts[0]
}

// The mixture of distributions, equally or with weights.
function weighted(parts, weights = new Float32Array(parts.length).fill(1 / parts.length)) {
  return {
    family: parts[0].family,
    mixture: true,
    weights: joined(parts.map((part, row) => part.weights.map(value => value * weights[row]))),
    loc: joined(parts.map(part => part.loc)),
    scale: joined(parts.map(part => part.scale)),
  }
}

function mixtureOfExperts(model, found, mask) {
  const { prior_product, family } = model.aggregator, shown = members(found, mask)
  const parts = shown.map(({ loc, scale }) => one(family, loc, scale))
  if (parts.length) return prior_product ? timesPrior(model, weighted(parts), true) : weighted(parts)
  if (prior_product) return weighted(mask.map(() => gaussianBase(model)))
  if (model.base.family === family) return { ...model.base, mixture: true }
  const latent = sharedSize(model), unit = family === "laplace" ? Math.SQRT1_2 : 1
  return { ...one(family, new Float32Array(latent), new Float32Array(latent).fill(unit)), mixture: true }
}

// Subsets of a number of modalities, small ones first, then by their first members.
function allSubsets(count) {
  const found = Array.from({ length: 2 ** count }, (_, bits) => Array.from({ length: count }, (_, i) => !!(bits >> i & 1)))
  const key = mask => mask.map((kept, index) => kept ? String.fromCharCode(65 + index) : "").join("")
  return found.sort((a, b) => key(a).length - key(b).length || (key(a) < key(b) ? -1 : 1))
}

const subsetsOf = mask => mask.some(Boolean)
  ? allSubsets(mask.length).filter(part => part.some(Boolean) && part.every((kept, index) => !kept || mask[index]))
  : [mask]
