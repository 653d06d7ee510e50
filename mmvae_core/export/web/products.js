// C[m, n] = A[m, k] B[n, k]^T + bias[n]: by four numbers at once (WebAssembly with SIMD), in single
// precision, where there is that; else one by one, and sums are in double precision.

const MOST_ROWS = 4096 // of A at once, which bounds the memory

// The module, whose function (a, b, c, blocks, panels, K), all addresses in bytes, multiplies A
// [4 blocks, K] and B, in panels of eight columns [panels, K, 8], into C [4 blocks, 8 panels].
function assembled() {
  const whole = value => { // LEB128, as all numbers of the format
    const bytes = []
    for (;;) {
      const low = value & 127
      value >>= 7
      if (value === (low & 64 ? -1 : 0)) return [...bytes, low]
      bytes.push(low | 128)
    }
  }
  const part = (id, ...items) => { const body = items.flat(); return [id, ...whole(body.length), ...body] }
  const get = index => [0x20, index], set = index => [0x21, index], number = value => [0x41, ...whole(value)]
  const plus = [0x6a], times = [0x6c], add = [0xfd, 0xe4, 1], multiply = [0xfd, 0xe6, 1]
  const loop = (...body) => [0x03, 0x40, ...body.flat(), 0x0b], again = [0x0d, 0]
  const step = (index, ...by) => [...get(index), ...by.flat(), ...plus, ...set(index)]
  const [A, B, C, BLOCKS, PANELS, K, b, c, a, end, left] = Array(11).keys()
  const row = [11, 12, 13], line = [14, 15, 16] // bytes from a row of A, or of C, to the three below
  const sum = 17, both = [25, 26], weight = 27
  const four = [0, 1, 2, 3], below = (at, skips, r) => r ? [...get(at), ...get(skips[r - 1]), ...plus] : get(at)
  const code = [
    ...[1, 2, 3].flatMap(r => [
      ...get(K), ...number(4 * r), ...times, ...set(row[r - 1]),
      ...get(PANELS), ...number(32 * r), ...times, ...set(line[r - 1]),
    ]),
    ...loop(
      get(B), set(b), get(C), set(c), get(PANELS), set(left),
      loop(
        ...Array.from({ length: 8 }, (_, one) => [0xfd, 0x0c, ...Array(16).fill(0), ...set(sum + one)]),
        get(A), set(a), get(A), get(row[0]), plus, set(end),
        loop(
          ...both.map((one, half) => [...get(b), 0xfd, 0x00, 2, 16 * half, ...set(one)]),
          ...four.map(r => [
            ...below(a, row, r), 0xfd, 0x09, 2, 0, ...set(weight), // load32_splat
            ...both.flatMap((one, half) => [
              ...get(sum + 2 * r + half), ...get(weight), ...get(one), ...multiply, ...add, ...set(sum + 2 * r + half),
            ]),
          ]),
          step(b, number(32)), step(a, number(4)), get(a), get(end), [0x49], again,
        ),
        ...four.flatMap(r => both.map((_, half) =>
          [...below(c, line, r), ...get(sum + 2 * r + half), 0xfd, 0x0b, 2, 16 * half])),
        step(c, number(32)), step(left, number(-1)), get(left), again,
      ),
      ...four.flatMap(() => [step(A, get(row[0])), step(C, get(line[0]))]),
      step(BLOCKS, number(-1)), get(BLOCKS), again,
    ), 0x0b,
  ]
  const i32 = 0x7f, v128 = 0x7b, name = [4, ...[..."made"].map(one => one.charCodeAt(0))]
  const body = [2, 11, i32, 11, v128, ...code.flat()]
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...part(1, [1, 0x60, 6, ...Array(6).fill(i32), 0]),
    ...part(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]), // the memory, m.m
    ...part(3, [1, 0]),
    ...part(7, [1, ...name, 0, 0]),
    ...part(10, [1], whole(body.length), body),
  ])
}

const QUICK = (() => {
  try {
    const memory = new WebAssembly.Memory({ initial: 1 })
    const { made } = new WebAssembly.Instance(new WebAssembly.Module(assembled()), { m: { m: memory } }).exports
    return { memory, made, panels: new WeakMap() }
  } catch {
    return null // an old browser, or a page that allows none
  }
})()

function panelsOf(B, N, K) { // made once of weights
  if (!QUICK.panels.has(B)) {
    const packed = new Float32Array(8 * Math.ceil(N / 8) * K)
    for (let n = 0; n < N; n++)
      for (let k = 0; k < K; k++) packed[((n >> 3) * K + k) * 8 + (n & 7)] = B[n * K + k]
    QUICK.panels.set(B, packed)
  }
  return QUICK.panels.get(B)
}

function product(A, B, bias, M, N, K, quick = QUICK) {
  if (!quick) return slowProduct(A, B, bias, M, N, K)
  const C = new Float32Array(M * N), packed = panelsOf(B, N, K), wide = packed.length / K
  for (let from = 0; from < M; from += MOST_ROWS) {
    const rows = Math.min(MOST_ROWS, M - from), blocks = Math.ceil(rows / 4)
    const atA = packed.length, atC = atA + 4 * blocks * K, bytes = 4 * (atC + 4 * blocks * wide)
    const short = bytes - quick.memory.buffer.byteLength
    if (short > 0) quick.memory.grow(Math.ceil(short / 65536))
    const floats = new Float32Array(quick.memory.buffer)
    floats.set(packed)
    floats.set(A.subarray(from * K, (from + rows) * K), atA)
    quick.made(4 * atA, 0, 4 * atC, blocks, wide / 8, K)
    for (let m = 0; m < rows; m++) {
      const at = atC + m * wide, to = (from + m) * N
      for (let n = 0; n < N; n++) C[to + n] = floats[at + n] + (bias ? bias[n] : 0)
    }
  }
  return C
}

// Four by four entries of C at a time.
function slowProduct(A, B, bias, M, N, K) {
  const C = new Float32Array(M * N), block = new Float64Array(16)
  for (let i = 0; i < M; i += 4) {
    const rows = Math.min(4, M - i)
    const a0 = i * K, a1 = rows > 1 ? a0 + K : a0, a2 = rows > 2 ? a1 + K : a1, a3 = rows > 3 ? a2 + K : a2
    for (let j = 0; j < N; j += 4) {
      const columns = Math.min(4, N - j)
      const b0 = j * K, b1 = columns > 1 ? b0 + K : b0, b2 = columns > 2 ? b1 + K : b1, b3 = columns > 3 ? b2 + K : b2
      let c00 = 0, c01 = 0, c02 = 0, c03 = 0, c10 = 0, c11 = 0, c12 = 0, c13 = 0
      let c20 = 0, c21 = 0, c22 = 0, c23 = 0, c30 = 0, c31 = 0, c32 = 0, c33 = 0
      for (let k = 0; k < K; k++) {
        const w = A[a0 + k], x = A[a1 + k], y = A[a2 + k], z = A[a3 + k]
        const p = B[b0 + k], q = B[b1 + k], r = B[b2 + k], t = B[b3 + k]
        c00 += w * p; c01 += w * q; c02 += w * r; c03 += w * t
        c10 += x * p; c11 += x * q; c12 += x * r; c13 += x * t
        c20 += y * p; c21 += y * q; c22 += y * r; c23 += y * t
        c30 += z * p; c31 += z * q; c32 += z * r; c33 += z * t
      }
      block[0] = c00; block[1] = c01; block[2] = c02; block[3] = c03
      block[4] = c10; block[5] = c11; block[6] = c12; block[7] = c13
      block[8] = c20; block[9] = c21; block[10] = c22; block[11] = c23
      block[12] = c30; block[13] = c31; block[14] = c32; block[15] = c33
      for (let a = 0; a < rows; a++) {
        const at = (i + a) * N + j
        for (let b = 0; b < columns; b++) C[at + b] = block[4 * a + b] + (bias ? bias[j + b] : 0)
      }
    }
  }
  return C
}
