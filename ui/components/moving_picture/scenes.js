// What moves on a card by one slider: each scene has a `slider` and draws itself at its value; what
// `draw` returns is the picture in words. Follows figures.js, field.js and, for Blur, picture.js.

// Panels that stand still.
class Still {
  constructor(stage, { panels, marks, labels }) {
    for (const panel of panels) {
      const field = new Field(stage, { ...panel, labels, marks, name: panel.title, size: labels.length > 1000 ? 6 : 8 });
      field.fit(panel.points).place(panel.points).say(panel.note);
    }
    this.slider = { value: 0, text: () => "" };
  }

  draw() { return ""; }
}

// Middles of posteriors as the modalities come in another order.
class Orders {
  constructor(stage, { rows, marks, labels, orders }) {
    Object.assign(this, { rows, orders });
    this.fields = rows.map((row) => new Field(stage, { ...row, labels, marks, name: `order ${row.title}` }).fit(row.points.flat()));
    this.slider = { label: "Order", low: 0, high: orders.length - 1, step: 1, value: 0, text: (at) => orders[at].join(", ") };
  }

  draw(at) {
    return this.fields.map((field, row) => {
      const { points, changes, title } = this.rows[row], change = 100 * changes[at];
      field.clear();
      field.place(points[at]);
      if (at) points[at].forEach((point, item) => field.line(points[0][item], point));
      field.say(at ? `moves by ${number(change, change < 0.1 ? 3 : 0)} %` : "the order of its training");
      return `${title}: ${field.note.textContent}`;
    }).join("; ");
  }
}

// Draws of priors among the items, one after the other, and what is made of them.
class Hole {
  constructor(stage, { rows, marks, labels, items, classes, open }) {
    Object.assign(this, { rows, classes });
    this.shown = rows.map((row) => {
      const box = made("div", "row", stage);
      const field = new Field(box, { ...row, labels, marks, name: `draws ${row.title}`, size: 5 });
      field.fit([...items, ...rows.flatMap((one) => one.draws)]).place(items);
      field.svg.classList.add("faint");
      return { field, box: open ? made("div", "views", box) : null };
    });
    this.slider = { label: "Draws", low: 1, high: rows[0].draws.length, step: 1, value: Math.min(12, rows[0].draws.length), text: (count) => String(count) };
  }

  draw(count) {
    return this.rows.map(({ title, draws, named, views }, row) => {
      const { field, box } = this.shown[row], last = count - 1;
      field.clear();
      if (!box) { field.say("Items' posteriors"); return ""; }
      draws.slice(0, count).forEach((point, at) => {
        const agrees = agreedOf([named[at]]) === 1, now = at === last ? " now" : "";
        field[agrees ? "ring" : "cross"](point, { class: `${agrees ? "ring" : "cross"}${now}` });
      });
      field.say(`${agreedOf(named.slice(0, count))} of ${count} agree`);
      box.replaceChildren(...views.map((view) => viewOf(view, last, draws.length)));
      made("p", "verdict", box, `Judged ${named[last].map((label) => this.classes[label]).join(", ")}: ${agreedOf([named[last]]) ? "they agree" : "they do not"}`);
      return `${title}: ${field.note.textContent}`;
    }).join("; ");
  }
}

// One of a row of pictures, or a word.
function viewOf({ name, sheet, ratio, words }, at, count) {
  const box = made("div", sheet ? "view" : "view word", null, sheet ? undefined : words[at][0].trimEnd());
  if (!sheet) return box;
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", name);
  box.style.cssText = `aspect-ratio: ${1 / ratio}; background: url("${sheet}") ${count > 1 ? 100 * at / (count - 1) : 0}% 0 / ${100 * count}% 100%`;
  return box;
}

// Learned latents that are turned against the true ones.
class Turn {
  constructor(stage, { panels, marks, labels, weak }) {
    [this.truth, this.learned] = panels.map(({ points }) => points);
    this.weak = weak;
    const far = Math.max(...this.learned.map((point) => Math.hypot(...point)));
    const fields = panels.map((panel) => new Field(stage, { ...panel, labels, marks, name: panel.title }));
    fields[0].fit(this.truth).place(this.truth);
    fields[0].say("as they are");
    this.field = fields[1].fit([[-far, -far], [far, far]]);
    this.slider = { label: "Turn the learned latents", low: -90, high: 90, step: 1, value: 0, text: (degrees) => `${number(degrees, 0)}°` };
  }

  draw(degrees) {
    const points = turnedBy(this.learned, degrees);
    this.field.place(points).say(`strong MCC ${number(strongMcc(this.truth, points))}, weak ${number(this.weak)}`);
    return this.field.note.textContent;
  }
}

// The true nearest neighbours of one item, on maps of all.
class Neighbours {
  constructor(stage, { panels, marks, labels, near }, pick) {
    Object.assign(this, { panels, near });
    this.fields = panels.map((panel) => new Field(stage, { ...panel, labels, marks, name: `neighbours ${panel.title}`, size: 6 }).fit(panel.points).place(panel.points));
    for (const field of this.fields) { field.svg.classList.add("faint"); field.onPick(pick); }
    this.slider = { label: "Item", low: 0, high: near.length - 1, step: 1, value: 0, text: (item) => String(item) };
  }

  draw(item) {
    const near = this.near[item];
    return this.fields.map((field, at) => {
      const { points, title } = this.panels[at], seen = nearestTo(points, item, near.length);
      field.clear();
      for (const other of near) {
        field.line(points[item], points[other]);
        field.ring(points[other], { class: seen.includes(other) ? "ring kept" : "ring" });
      }
      field.ring(points[item], { class: "ring now", r: 9 });
      field.say(`keeps ${keptOf(near, seen)} of its ${near.length} nearest`);
      return `${title} ${field.note.textContent}`;
    }).join("; ");
  }
}

// How much of a modality its decoder takes from the latent, and what either bound makes of that.
const CHART = { wide: 300, high: 300, left: 36, right: 12, top: 40, bottom: 40 };
const BOUNDS = { masked: { colour: "#0072b2", dash: "" }, mixture: { colour: "#d55e00", dash: "8 5" } };

class Blur {
  constructor(stage, { world, item, modality, hidden, range, open }) {
    Object.assign(this, { world, item, modality });
    const name = world.names[modality], figure = made("figure", "field", stage);
    this.note = made("figcaption", "", figure);
    made("b", "", this.note, "Posterior");
    made("span", "note", this.note, `filled: all is shown; dotted: ${name} hidden`);
    this.plane = new Plane(figure, range, "blurred decoder");
    this.slider = { label: `Share of ${name} taken from the latent`, low: 0, high: 100, step: 1, value: 100, text: (share) => `${share} %` };
    if (!open) return;
    this.told = [...Array(101)].map((_, share) => expectedBounds(world, modality, share / 100, hidden));
    const chart = made("figure", "field", stage), head = made("figcaption", "", chart);
    made("b", "", head, "Both bounds");
    this.bounds = made("span", "note", head);
    this.chart = drawn("svg", { viewBox: `0 0 ${CHART.wide} ${CHART.high}`, role: "img", "data-figure": "bounds by share" }, chart);
    this.axes();
  }

  axes() {
    const values = this.told.flatMap(({ masked, mixture }) => [masked, mixture]);
    this.low = Math.floor(Math.min(...values));
    this.high = Math.ceil(Math.max(...values));
    for (let nats = this.low; nats <= this.high; nats++) {
      const y = this.y(nats);
      drawn("path", { class: "grid", d: `M${CHART.left} ${y}H${CHART.wide - CHART.right}` }, this.chart);
      drawn("text", { x: CHART.left - 6, y: y + 4, "text-anchor": "end" }, this.chart).textContent = number(nats, 0);
    }
    for (const share of [0, 50, 100]) {
      drawn("text", { x: this.x(share), y: CHART.high - CHART.bottom + 18, "text-anchor": share === 100 ? "end" : "middle" }, this.chart).textContent = `${share} %`;
    }
    drawn("text", { x: CHART.left, y: 14 }, this.chart).textContent = "nats an item";
    drawn("text", { x: CHART.wide - CHART.right, y: CHART.high - 6, "text-anchor": "end" }, this.chart).textContent = "share from the latent";
    for (const [bound, { colour, dash }] of Object.entries(BOUNDS)) {
      const points = this.told.map((one, share) => `${this.x(share).toFixed(1)} ${this.y(one[bound]).toFixed(1)}`);
      drawn("path", { class: "curve", d: `M${points.join("L")}`, stroke: colour, "stroke-dasharray": dash }, this.chart);
    }
    this.marks = drawn("g", {}, this.chart);
  }

  x(share) { return CHART.left + (CHART.wide - CHART.left - CHART.right) * share / 100; }
  y(nats) { return CHART.top + (CHART.high - CHART.top - CHART.bottom) * (this.high - nats) / (this.high - this.low); }

  draw(share) {
    const stats = statisticsOf(blurredOf(this.world, this.modality, share / 100), this.item);
    const all = this.world.names.map(() => true), part = all.map((_, m) => m !== this.modality);
    this.plane.clear();
    for (const [mask, name] of [[all, "exact"], [part, "prior"]]) {
      const found = exactOf(stats, mask);
      this.plane.ellipse(found.mean, ellipseOf(found.covariance), { class: name });
    }
    const told = this.told?.[share];
    const text = told ? `masked ${number(told.masked)} nats, mixture ${number(told.mixture)}` : "all of it is taken from the latent";
    this.plane.svg.setAttribute("aria-label", `Posteriors with all shown and with ${this.world.names[this.modality]} hidden; ${text}`);
    if (!told) return text;
    this.bounds.textContent = text;
    this.chart.setAttribute("aria-label", `At a share of ${share} %: ${text}`);
    this.marks.replaceChildren();
    drawn("path", { class: "at", d: `M${this.x(share)} ${CHART.top}V${CHART.high - CHART.bottom}` }, this.marks);
    for (const [bound, { colour }] of Object.entries(BOUNDS)) {
      drawn("circle", { cx: this.x(share), cy: this.y(told[bound]), r: 6, fill: colour }, this.marks);
      drawn("text", { x: this.x(share) + (share > 60 ? -10 : 10), y: this.y(told[bound]) + (bound === "masked" ? -8 : 18),
        "text-anchor": share > 60 ? "end" : "start" }, this.marks).textContent = bound;
    }
    return text;
  }
}
