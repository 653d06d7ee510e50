// A linear-Gaussian world in the plane: exact posteriors, each rule's approximation, gaps and bounds.
// The same formulas as mmvae_core/explore/toy.py, which the tests hold it to. Follows maths.js.

const NODES = 24;
const FIXED = ["poe", "moe", "mopoe"];
let known = null;
const rule = () => (known ??= hermiteRule(NODES));

// log p(x_m | z) = constant + shift . z - z' precision z / 2 of each modality
function statisticsOf(world, item) {
  return world.loadings.map((loading, m) => {
    const variance = world.noises[m] ** 2, precision = [0, 0, 0], shift = [0, 0];
    let square = 0;
    loading.forEach(([a, b], row) => {
      const error = item[m][row] - world.offsets[m][row];
      precision[0] += a * a / variance;
      precision[1] += a * b / variance;
      precision[2] += b * b / variance;
      shift[0] += a * error / variance;
      shift[1] += b * error / variance;
      square += error * error / variance;
    });
    return { precision, shift,
      constant: -0.5 * (square + loading.length * (LOG_TWO_PI + Math.log(variance))) };
  });
}

// p(z | x_S): mean, covariance and precision; and log p(x_S)
function exactOf(stats, mask) {
  let precision = [1, 0, 1], shift = [0, 0], evidence = 0;
  stats.forEach((told, m) => {
    if (!mask[m]) return;
    precision = plus(precision, told.precision);
    shift = plus(shift, told.shift);
    evidence += told.constant;
  });
  const covariance = inverse(precision), mean = times(covariance, shift);
  evidence += 0.5 * (dot(shift, mean) - Math.log(determinant(precision)));
  return { mean, covariance, precision, evidence };
}

function product(experts) {
  const precision = [1, 1], shift = [0, 0];
  for (const expert of experts) for (const k of [0, 1]) {
    precision[k] += expert.own[k];
    shift[k] += (1 + expert.own[k]) * expert.mean[k];
  }
  return { loc: shift.map((value, k) => value / precision[k]), scale: precision.map((value) => value ** -0.5) };
}

function mixed(parts) {
  return { logWeights: parts.map(() => -Math.log(parts.length)), locs: parts.map((part) => part.loc),
    scales: parts.map((part) => part.scale) };
}

// q(z | x_S) of a rule, or of a network in `networks`
function approximationOf(stats, mask, aggregator, networks) {
  const shown = stats.filter((_, m) => mask[m]);
  if (!FIXED.includes(aggregator)) return learnedOf(stats, mask, networks[aggregator]);
  const experts = shown.map((told) => ({ own: [told.precision[0], told.precision[2]],
    mean: times(inverse(plus([1, 0, 1], told.precision)), told.shift) }));
  if (aggregator === "poe" || !experts.length) return mixed([product(experts)]);
  if (aggregator === "moe") return mixed(experts.map(({ own, mean }) => (
    { loc: mean, scale: own.map((value) => (1 + value) ** -0.5) })));
  const parts = [];
  for (let bits = 1; bits < 1 << experts.length; bits++) {
    parts.push(product(experts.filter((_, at) => bits >> at & 1)));
  }
  return mixed(parts);
}

// The diagonal normal with the least KL(q || p)
const nearestOf = (exact) => one(exact.mean, [exact.precision[0] ** -0.5, exact.precision[2] ** -0.5]);

// KL(q || p(z | x_S)) in nats
function gapOf(q, exact) {
  const cross = sum(q.logWeights.map((weight, at) => {
    const error = q.locs[at].map((value, k) => value - exact.mean[k]), [a, b] = q.scales[at];
    return Math.exp(weight) * 0.5 * (2 * LOG_TWO_PI - Math.log(determinant(exact.precision))
      + quadratic(exact.precision, error) + exact.precision[0] * a * a + exact.precision[2] * b * b);
  }));
  return crossLog(q, q, rule()) + cross;
}

// E_q[sum_S log p(x_m | z)]
function expectedOf(q, stats, mask) {
  return sum(stats.map((told, m) => (!mask[m] ? 0 : sum(q.logWeights.map((weight, at) => {
    const loc = q.locs[at], [a, b] = q.scales[at], p = told.precision;
    return Math.exp(weight) * (told.constant + dot(told.shift, loc)
      - 0.5 * (quadratic(p, loc) + p[0] * a * a + p[2] * b * b));
  })))));
}

const PRIOR = one([0, 0], [1, 1]);
const others = (mask) => mask.map((kept) => !kept);
const rateOf = (q) => crossLog(q, q, rule()) - crossLog(q, PRIOR, rule());

// Terms of the bounds, which add up to them; nats
const mixtureTerms = (q, stats, mask) => (
  { shown: expectedOf(q, stats, mask), rest: expectedOf(q, stats, others(mask)), rate: -rateOf(q) });
const maskedTerms = (q, full, stats, mask) => (
  { shown: expectedOf(q, stats, mask), rate: -rateOf(q), rest: expectedOf(full, stats, others(mask)),
    cross_rate: crossLog(full, q, rule()) - crossLog(full, full, rule()) });

export { statisticsOf, exactOf, approximationOf, nearestOf, gapOf, mixtureTerms, maskedTerms };
