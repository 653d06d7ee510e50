// What a page asks of a model, in a worker or beside it. A task keeps what later ones need, of each
// model (`of`, where there are several) by itself: the model and the posteriors of all subsets.

const codeOf = mask => mask.map(Number).join("")

const TASKS = {
  open: (state, { manifest, halves, buffer }) => {
    state.model = buffer ? readModel(buffer) : modelOf(manifest, halves)
    const { stddev } = moments(state.model, asPrior(state.model))
    return { latent: state.model.latent, prior: stddev }
  },

  // Values [modality], null where there is none: which masks there are, and how wide each posterior is.
  know: (state, { values }) => {
    const { model } = state, features = values.map((value, index) => value && encode(model, index, value))
    const masks = allSubsets(values.length).filter(mask => mask.every((kept, index) => !kept || features[index]))
    const found = posteriors(model, features, masks)
    state.posteriors = new Map(masks.map((mask, row) => [codeOf(mask), found[row]]))
    return { masks, widths: found.map(one => mean(moments(model, one).stddev)) }
  },

  // Draws, of which the first `shown` are decoded, and the mean by itself; of the prior, if `prior`.
  draw: ({ model, posteriors }, { mask, count, shown = count, seed, temperature, prior }) => {
    const posterior = prior ? asPrior(model) : posteriors.get(codeOf(mask)), known = moments(model, posterior)
    const z = drawn(model, posterior, count, seed, temperature).subarray(0, shown * model.latent)
    const all = decode(model, joined([known.mean, z]))
    return {
      atMean: all.map(one => one.slice(0, one.length / (shown + 1))),
      means: all.map(one => one.slice(one.length / (shown + 1))),
      width: mean(known.stddev),
    }
  },

  // One draw, with the same noise, of every posterior that is known.
  lattice: ({ model, posteriors }, { seed }) => {
    const every = [...posteriors.values()].map(one => drawn(model, one, 2, seed).subarray(0, model.latent))
    return { means: decode(model, joined(every)) }
  },

  moments: ({ model, posteriors }, { mask }) => moments(model, posteriors.get(codeOf(mask))),

  decode: ({ model }, { z, only }) => ({ means: decode(model, z, only) }),

  close: state => { state.model = state.posteriors = null },
}

const mean = values => values.reduce((sum, one) => sum + one, 0) / values.length
const asPrior = model => model.base

// Told by messages { turn, do, ... }, it answers { turn, ... } or { turn, error }.
function perform(state, message) {
  try {
    return { turn: message.turn, ...TASKS[message.do](state[message.of ?? ""] ??= {}, message) }
  } catch (error) {
    return { turn: message.turn, error: String(error) }
  }
}
