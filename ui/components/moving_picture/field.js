// A panel of points, a mark a class, with what is drawn over them. Follows drawing.js.

const SIDE = 300, PAD = 1.12;

// The outline of a class's mark, `size` wide, around each place.
function outlineOf({ points }, size, places) {
  const half = size / 2;
  if (!points) return places.map(([x, y]) => `M${x - half} ${y}a${half} ${half} 0 1 0 ${size} 0a${half} ${half} 0 1 0 ${-size} 0`).join("");
  const corners = points.split(" ").map((one) => one.split(",").map((value) => (value / 16 - 0.5) * size));
  return places.map(([x, y]) => `M${corners.map(([a, b]) => `${(x + a).toFixed(1)} ${(y + b).toFixed(1)}`).join("L")}Z`).join("");
}

class Field {
  constructor(parent, { title, labels, marks, name, size = 8 }) {
    Object.assign(this, { title, labels, marks, size });
    const figure = made("figure", "field", parent), head = made("figcaption", "", figure);
    made("b", "", head, title);
    this.note = made("span", "note", head);
    this.svg = drawn("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "data-figure": name }, figure);
    this.svg.classList.toggle("dense", labels.length > 600);
    drawn("rect", { class: "frame", x: 0.5, y: 0.5, width: SIDE - 1, height: SIDE - 1, rx: 6 }, this.svg);
    this.paths = [...new Set(labels)].sort((a, b) => a - b).map((label) =>
      ({ label, path: drawn("path", { class: "marks", fill: marks[label].colour }, this.svg) }));
    this.over = drawn("g", {}, this.svg);
  }

  // The frame holds these points, both axes alike.
  fit(points) {
    const ends = [0, 1].map((k) => [Math.min, Math.max].map((most) => points.reduce((end, point) => most(end, point[k]), points[0][k])));
    this.middle = ends.map(([low, high]) => (low + high) / 2);
    this.half = PAD * Math.max(1e-9, ...ends.map(([low, high]) => (high - low) / 2));
    return this;
  }

  spot([x, y]) {
    const unit = SIDE / 2 / this.half;
    return [SIDE / 2 + unit * (x - this.middle[0]), SIDE / 2 - unit * (y - this.middle[1])];
  }

  place(points) {
    this.points = points;
    const spots = points.map((point) => this.spot(point));
    for (const { label, path } of this.paths) {
      path.setAttribute("d", outlineOf(this.marks[label], this.size, spots.filter((_, at) => this.labels[at] === label)));
    }
    return this;
  }

  clear() { this.over.replaceChildren(); }

  line(from, to, attributes) {
    const [a, b] = [from, to].map((point) => this.spot(point).map((value) => value.toFixed(1)).join(" "));
    drawn("path", { class: "way", d: `M${a}L${b}`, ...attributes }, this.over);
  }

  ring(point, attributes) {
    const [cx, cy] = this.spot(point);
    drawn("circle", { class: "ring", cx, cy, r: 7, ...attributes }, this.over);
  }

  cross(point, attributes) {
    const [x, y] = this.spot(point);
    drawn("path", { class: "cross", d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`, ...attributes }, this.over);
  }

  // `picked(at)` with the number of the point that is nearest to a click.
  onPick(picked) {
    this.svg.classList.add("picks");
    this.svg.addEventListener("click", (event) => {
      const box = this.svg.getBoundingClientRect(), at = [event.clientX - box.left, event.clientY - box.top].map((value) => value * SIDE / box.width);
      const far = this.points.map((point) => { const [x, y] = this.spot(point); return Math.hypot(x - at[0], y - at[1]); });
      picked(far.indexOf(Math.min(...far)));
    });
  }

  say(note) {
    this.note.textContent = note;
    this.svg.setAttribute("aria-label", note ? `${this.title}: ${note}` : this.title);
  }
}
