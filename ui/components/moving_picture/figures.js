// Numbers of the moving pictures, as the core has them. Follows maths.js and world.js.

function correlation(one, other) {
  const [x, y] = [one, other].map((values) => { const mean = sum(values) / values.length; return values.map((value) => value - mean); });
  const square = (values) => sum(values.map((value) => value * value)), cross = sum(x.map((value, at) => value * y[at]));
  return Math.abs(cross) / (Math.sqrt(square(x) * square(y)) || 1);
}

// The strong MCC of points [item][2]: matched on the first half of the items, told of the other.
function strongMcc(truth, learned) {
  const cut = Math.floor(truth.length / 2), of = (points, k) => points.map((point) => point[k]);
  const [[a, b, c, d], told] = [[0, cut], [cut, truth.length]].map((ends) => {
    const [one, other] = [truth, learned].map((points) => points.slice(...ends));
    return [[0, 0], [1, 1], [0, 1], [1, 0]].map(([i, j]) => correlation(of(one, i), of(other, j)));
  });
  return (a + b >= c + d ? told[0] + told[1] : told[2] + told[3]) / 2;
}

function turnedBy(points, degrees) {
  const angle = degrees * Math.PI / 180, [c, s] = [Math.cos(angle), Math.sin(angle)];
  return points.map(([x, y]) => [c * x - s * y, s * x + c * y]);
}

// The numbers of the nearest others.
function nearestTo(points, at, count) {
  const far = points.map(([x, y]) => Math.hypot(x - points[at][0], y - points[at][1]));
  return points.map((_, other) => other).filter((other) => other !== at).sort((a, b) => far[a] - far[b]).slice(0, count);
}

const keptOf = (near, seen) => near.filter((one) => seen.includes(one)).length;
const agreedOf = (named) => named.filter((labels) => labels.every((label) => label === labels[0])).length;

// KL(p || q) of two normals as `exactOf` gives them
function klOf(p, q) {
  const [a, b, c] = q.precision, [d, e, f] = p.covariance, apart = q.mean.map((value, k) => value - p.mean[k]);
  return 0.5 * (a * d + 2 * b * e + c * f - 2 + quadratic(q.precision, apart)
    + Math.log(determinant(p.precision) / determinant(q.precision)));
}

// The world of which modality m takes a share of its loading from the latent; the rest is noise.
function blurredOf(world, m, share) {
  const rows = world.loadings[m], lost = (1 - share * share) * sum(rows.map(([a, b]) => a * a + b * b)) / rows.length;
  return { ...world, loadings: world.loadings.map((one, at) => (at === m ? one.map((row) => row.map((value) => share * value)) : one)),
    noises: world.noises.map((noise, at) => (at === m ? Math.sqrt(noise * noise + lost) : noise)) };
}

// Items over which the mean of every square is what it is over the world's.
function itemsOf(world) {
  const size = 2 + sum(world.offsets.map((one) => one.length));
  return [...Array(2 * size)].map((_, row) => {
    const noise = Array(size).fill(0);
    noise[row >> 1] = (row % 2 ? -1 : 1) * Math.sqrt(size);
    let at = 2;
    return world.loadings.map((loading, m) => loading.map((w, k) =>
      dot(w, noise) + world.offsets[m][k] + world.noises[m] * noise[at++]));
  });
}

// Both bounds over items of the world with exact posteriors, where m takes a share and is hidden at times.
function expectedBounds(world, m, share, hidden) {
  const model = blurredOf(world, m, share), all = world.names.map(() => true), part = all.map((_, at) => at !== m);
  const told = itemsOf(world).map((item) => {
    const stats = statisticsOf(model, item), whole = exactOf(stats, all);
    return [whole.evidence, klOf(exactOf(stats, part), whole)];
  });
  const [masked, lost] = [0, 1].map((k) => sum(told.map((one) => one[k])) / told.length);
  return { masked, mixture: masked - hidden * lost };
}

export { strongMcc, turnedBy, nearestTo, keptOf, agreedOf, klOf, expectedBounds };
