// The plane of the latent: ellipses, components, densities, draws, lines of what was observed.
// Follows maths.js and drawing.js.

const SIZE = 400, HOLDS = Math.sqrt(-2 * Math.log(1 - 0.68)); // standard deviations that hold 68 %
const CELLS = 72; // of a density, along each axis
const DOTS = 60;

class Plane {
  constructor(parent, range, name) {
    this.range = range;
    this.box = made("div", "plane", parent);
    this.canvas = made("canvas", "density", this.box);
    Object.assign(this.canvas, { width: CELLS, height: CELLS });
    this.svg = drawn("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "data-figure": name }, this.box);
    drawn("rect", { class: "frame", x: 1, y: 1, width: SIZE - 2, height: SIZE - 2, rx: 8 }, this.svg);
    for (let tick = Math.ceil(-range); tick <= range; tick++) {
      const [x, y] = this.spot([tick, tick]), middle = tick === 0 ? "grid zero" : "grid";
      drawn("path", { class: middle, d: `M${x} 1V${SIZE - 1}M1 ${y}H${SIZE - 1}` }, this.svg);
    }
    const axis = [["latent 1", SIZE - 8, SIZE / 2 - 6, "end"], ["latent 2", SIZE / 2 + 6, 18, "start"]];
    for (const [text, x, y, anchor] of axis) {
      drawn("text", { class: "axis", x, y, "text-anchor": anchor }, this.svg).textContent = text;
    }
    this.moving = drawn("g", {}, this.svg);
    this.dots = [...Array(2)].map((_, k) => { const next = normals(11 + k); return [...Array(DOTS)].map(next); });
  }

  spot([x, y]) {
    const unit = SIZE / 2 / this.range;
    return [SIZE / 2 + unit * x, SIZE / 2 - unit * y];
  }

  place(event) {
    const box = this.svg.getBoundingClientRect(), unit = 2 * this.range / box.width;
    return [(event.clientX - box.left) * unit - this.range, this.range - (event.clientY - box.top) * unit];
  }

  clear() {
    this.moving.replaceChildren();
    this.canvas.getContext("2d").clearRect(0, 0, CELLS, CELLS);
  }

  // An ellipse of standard deviations `long` and `short`, the first at `angle` from the x axis.
  ellipse(at, { long, short, angle }, attributes) {
    const [cx, cy] = this.spot(at), unit = HOLDS * SIZE / 2 / this.range;
    return drawn("ellipse", { cx, cy, rx: unit * long, ry: unit * short,
      transform: `rotate(${-angle * 180 / Math.PI} ${cx} ${cy})`, ...attributes }, this.moving);
  }

  cross(at, attributes) {
    const [x, y] = this.spot(at);
    return drawn("path", { d: `M${x - 5} ${y}h10M${x} ${y - 5}v10`, ...attributes }, this.moving);
  }

  // The line on which w . z + b is what was observed.
  line([a, b], told, attributes) {
    const size = a * a + b * b;
    if (size < 1e-9) return;
    const foot = [a * told / size, b * told / size], reach = 4 * this.range / Math.sqrt(size);
    const ends = [-reach, reach].map((way) => this.spot([foot[0] - b * way, foot[1] + a * way]));
    drawn("path", { d: `M${ends[0].join(" ")}L${ends[1].join(" ")}`, ...attributes }, this.moving);
  }

  arrow(to, attributes) {
    const [x0, y0] = this.spot([0, 0]), [x, y] = this.spot(to), angle = Math.atan2(y - y0, x - x0);
    const head = [2.7, -2.7].map((turn) => `${x + 9 * Math.cos(angle + turn)} ${y + 9 * Math.sin(angle + turn)}`);
    drawn("path", { d: `M${x0} ${y0}L${x} ${y}M${head[0]}L${x} ${y}L${head[1]}`, ...attributes }, this.moving);
  }

  mixture(q, look) {
    if (q.logWeights.length > 1) this.shade(q, look.colour);
    const most = Math.max(...q.logWeights);
    q.locs.forEach((loc, at) => {
      const [a, b] = q.scales[at], share = Math.exp(q.logWeights[at] - most);
      this.ellipse(loc, { long: a, short: b, angle: 0 }, { class: "rule", stroke: look.colour,
        "stroke-dasharray": look.dash, opacity: (q.logWeights.length > 7 ? 0.3 : 1) * share });
    });
  }

  shade(q, colour) {
    const pen = this.canvas.getContext("2d"), image = pen.createImageData(CELLS, CELLS);
    const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)), step = 2 * this.range / CELLS;
    const places = [...Array(CELLS)].map((_, i) => -this.range + (i + 0.5) * step);
    const [across, up] = [0, 1].map((k) => tableOf(places, q, k)), count = q.logWeights.length, values = [];
    for (let row = 0; row < CELLS; row++) for (let column = 0; column < CELLS; column++) {
      const y = CELLS - 1 - row;
      let value = 0;
      for (let c = 0; c < count; c++) value += Math.exp(q.logWeights[c]) * across.d[column * count + c] * up.d[y * count + c];
      values.push(value * Math.exp(across.top[column] + up.top[y]));
    }
    const top = Math.max(...values);
    values.forEach((value, at) => image.data.set([...rgb, 150 * value / top], 4 * at));
    const own = new OffscreenCanvas(CELLS, CELLS);
    own.getContext("2d").putImageData(image, 0, 0);
    pen.drawImage(own, 0, 0);
  }

  // Draws of the exact posterior, by its Cholesky factor.
  sample({ mean, covariance: [a, b, c] }, attributes) {
    const first = Math.sqrt(a), cross = b / first, rest = Math.sqrt(Math.max(c - cross * cross, 0));
    this.dots[0].forEach((u, at) => {
      const point = [mean[0] + first * u, mean[1] + cross * u + rest * this.dots[1][at]];
      this.dot(point, attributes);
    });
  }

  // Draws of a rule's mixture: components in turn of their weights.
  sampleRule(q, attributes) {
    let before = 0;
    const ends = q.logWeights.map((weight) => (before += Math.exp(weight)));
    this.dots[0].forEach((u, at) => {
      const c = ends.findIndex((end) => (at + 0.5) / DOTS * before < end);
      this.dot([0, 1].map((k) => q.locs[c][k] + q.scales[c][k] * [u, this.dots[1][at]][k]), attributes);
    });
  }

  dot(at, attributes) {
    const [cx, cy] = this.spot(at);
    drawn("circle", { cx, cy, r: 2.5, ...attributes }, this.moving);
  }
}
