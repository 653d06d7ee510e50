// The draws of a torch.Generator on a CPU, seed by seed (torch 2, float32): Mersenne twister, normal
// numbers by Box and Muller, and choices with replacement. So a seed gives the same pictures here.

class Generator {
  constructor(seed) {
    this.state = new Uint32Array(624)
    this.state[0] = seed
    for (let i = 1; i < 624; i++)
      this.state[i] = Math.imul(1812433253, this.state[i - 1] ^ (this.state[i - 1] >>> 30)) + i
    this.at = 624
    this.spare = null
  }

  bits() { // 32 of them
    const state = this.state
    if (this.at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff)
        state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
      }
      this.at = 0
    }
    let y = state[this.at++]
    y ^= y >>> 11; y ^= (y << 7) & 0x9d2c5680; y ^= (y << 15) & 0xefc60000; y ^= y >>> 18
    return y >>> 0
  }

  uniform() { return (this.bits() & 0xffffff) / 2 ** 24 } // a float32 in [0, 1)

  uniform53() { // a double in [0, 1)
    const high = this.bits(), low = this.bits()
    return ((high & 0x1fffff) * 2 ** 32 + low) / 2 ** 53
  }

  normals(count) { return count < 16 ? this.few(count) : this.many(count) }

  many(count) { // blocks of 16; what is left over draws the last 16 anew
    const out = new Float32Array(count)
    for (let i = 0; i < count; i++) out[i] = this.uniform()
    for (let i = 0; i + 16 <= count; i += 16) boxMuller(out, i)
    if (count % 16) {
      for (let i = count - 16; i < count; i++) out[i] = this.uniform()
      boxMuller(out, count - 16)
    }
    return out
  }

  few(count) { // one after the other, each second one kept from the pair before
    return Float32Array.from({ length: count }, () => {
      if (this.spare !== null) {
        const kept = this.spare
        this.spare = null
        return kept
      }
      const turn = this.uniform53(), far = this.uniform53()
      const radius = Math.sqrt(-2 * Math.log1p(-far)), angle = 2 * Math.PI * turn
      this.spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    })
  }

  laplaces(count) { // location 0, scale 1
    return Float32Array.from({ length: count }, () => {
      const drawn = Math.max(2 * this.uniform() - 1, 2 ** -23 - 1)
      return -Math.sign(drawn) * Math.log1p(-Math.abs(drawn))
    })
  }

  // Indices drawn with probabilities `weights`. A single one torch draws in another way, which this
  // does not follow.
  picks(weights, count) {
    const sums = new Float32Array(weights.length)
    let sum = 0
    for (let i = 0; i < weights.length; i++) sums[i] = sum = Math.fround(sum + weights[i])
    for (let i = 0; i < sums.length; i++) sums[i] /= sum
    sums[sums.length - 1] = 1
    return Array.from({ length: count }, () => {
      const drawn = this.uniform53()
      let low = 0, high = sums.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (sums[middle] < drawn) low = middle + 1
        else high = middle
      }
      return low
    })
  }
}

function boxMuller(out, from) {
  for (let i = from; i < from + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - out[i])), angle = 2 * Math.PI * out[i + 8]
    out[i] = radius * Math.cos(angle)
    out[i + 8] = radius * Math.sin(angle)
  }
}
