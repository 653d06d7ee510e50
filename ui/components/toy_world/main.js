// A toy world that moves with the pointer: everything is computed here, only a kept guess is sent.

const SAY_MS = 600; // after the last move, what is read aloud
const TERMS = { shown: "log p(shown | z)", rest: "log p(rest | z)", rate: "− rate", cross_rate: "− cross rate" };

class View {
  constructor(root) {
    this.root = root;
  }

  build(data) {
    Object.assign(this, { data, stamp: data.stamp, world: structuredClone(data.world),
      item: structuredClone(data.item), mask: [...data.mask], turns: data.mask.map(() => 0) });
    this.on = Object.fromEntries(data.aggregators.map((name) => [name, !data.off.includes(name)]));
    this.networks = Object.fromEntries(Object.entries(data.networks).map(([name, one]) => [name, networkOf(name, one)]));
    this.root.replaceChildren();
    this.stage = made("div", "stage", this.root);
    this.plane = new Plane(made("div", "left", this.stage), data.range, "toy world");
    const side = made("div", "right", this.stage);
    this.parts = data.world.names.map((_, m) => new Part(this, side, m));
    this.table = made("div", "rules", side);
    this.below = made("div", "below", this.root);
    if (data.show.includes("bounds")) { // where it does not fit it is scrolled, by keys too
      this.below.tabIndex = 0;
      this.below.setAttribute("role", "region");
      this.below.setAttribute("aria-label", "Bounds");
    }
    this.plane.box.setAttribute("part", "plane"); // parts are what a page can light from outside
    this.table.setAttribute("part", "rules");
    this.said = made("p", "said", this.root);
    this.said.setAttribute("role", "status");
    this.guess = data.prediction ? new Guess(this, data.prediction) : null;
    this.point = data.latent ? new Place(this, data.latent) : null;
    if (this.guess) this.ask(made("div", "ask", this.plane.box.parentNode));
    if (this.guess && data.guess) this.adopt(data.guess);
    this.makeRows();
  }

  // ---- what the visitor does

  setItem(m, row, value) { this.item[m][row] = value; this.later(); }
  setLatent(at) {
    const { loadings, offsets } = this.world;
    this.item = loadings.map((loading, m) => loading.map((w, row) => dot(w, at) + offsets[m][row]));
    this.later();
  }

  setNoise(m, value) { this.world.noises[m] = value; this.later(); }
  flip(m) { this.mask[m] = !this.mask[m]; this.draw(); }

  setTurn(m, degrees) {
    const angle = degrees * Math.PI / 180, [c, s] = [Math.cos(angle), Math.sin(angle)];
    this.turns[m] = degrees;
    this.world.loadings[m] = this.data.world.loadings[m].map(([a, b]) => [c * a - s * b, s * a + c * b]);
    this.later();
  }

  // However often a pointer moves, once a frame.
  later() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  ask(box) {
    this.keep = made("button", "keep", box, "Keep my guess");
    this.keep.type = "button";
    this.verdict = made("p", "verdict", box);
    this.keep.addEventListener("click", () => {
      this.guess.kept = true;
      this.draw();
      this.send(this.guess.plain);
    });
  }

  adopt({ at, long, short, angle }) {
    Object.assign(this.guess, { at, long, short, angle: angle * Math.PI / 180, kept: true });
  }

  // ---- what is drawn

  get waits() {
    return Boolean(this.guess) && !this.guess.kept && !this.data.reveal;
  }

  // What is shown: while the guess waits, `from` where the prediction has one.
  get now() {
    const asked = this.data.prediction;
    return asked ? (this.waits ? asked.from : asked.mask) ?? this.mask : this.mask;
  }

  hides(name) {
    const asked = this.data.prediction;
    return this.waits && !asked.from && (asked.target ?? "exact") === name;
  }

  compute() {
    const stats = statisticsOf(this.world, this.item), mask = this.now, all = mask.map(() => true);
    const exact = exactOf(stats, mask), whole = exactOf(stats, all);
    const rules = this.data.aggregators.map((name) => {
      const q = approximationOf(stats, mask, name, this.networks), found = { name, q, gap: gapOf(q, exact) };
      if (!this.data.show.includes("bounds")) return found;
      const full = mask.every(Boolean) ? q : approximationOf(stats, all, name, this.networks);
      return { ...found, mixture: mixtureTerms(q, stats, mask), masked: maskedTerms(q, full, stats, mask) };
    });
    return { stats, mask, exact, whole, rules };
  }

  draw() {
    const found = this.found = this.compute(), shows = (what) => this.data.show.includes(what);
    this.mask = this.data.prediction ? found.mask : this.mask;
    this.plane.clear();
    this.drawTold(found, shows);
    if (shows("exact") && !this.hides("exact")) this.drawExact(found.exact, shows);
    for (const { name, q } of found.rules) {
      if (!this.on[name] || this.hides(name) || !shows("ellipses")) continue;
      this.plane.mixture(q, this.data.looks[name]);
      if (shows("rule samples")) this.plane.sampleRule(q, { class: "dot", fill: this.data.looks[name].colour });
    }
    this.parts.forEach((part) => part.draw(found.exact, this.hides("exact")));
    this.guess?.draw();
    this.point?.draw();
    if (this.guess) this.judge(found);
    this.fillRows(found);
    this.plane.svg.setAttribute("aria-label", this.sentence(found));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.said.textContent = this.sentence(found); }, SAY_MS);
  }

  // Lines of what was observed, arrows of what raises a number, each modality's own posterior.
  drawTold({ stats, mask }, shows) {
    this.world.loadings.forEach((loading, m) => {
      if (shows("arrows")) loading.forEach((w) => this.plane.arrow(w, { class: mask[m] ? "arrow" : "arrow faint" }));
      if (!mask[m]) return;
      if (shows("lines")) loading.forEach((w, row) =>
        this.plane.line(w, this.item[m][row] - this.world.offsets[m][row], { class: "line" }));
      if (!shows("singles")) return;
      const own = exactOf(stats, mask.map((_, other) => other === m));
      this.plane.ellipse(own.mean, ellipseOf(own.covariance), { class: "single" });
    });
    if (shows("prior")) this.plane.ellipse([0, 0], { long: 1, short: 1, angle: 0 }, { class: "prior" });
  }

  drawExact(exact, shows) {
    this.plane.ellipse(exact.mean, ellipseOf(exact.covariance), { class: "exact" });
    this.plane.cross(exact.mean, { class: "middle" });
    if (shows("samples")) this.plane.sample(exact, { class: "dot" });
  }

  // How far the kept guess is from what it was of.
  judge({ exact, rules }) {
    this.keep.hidden = !this.waits;
    if (this.waits) { this.verdict.textContent = ""; return; }
    if (!this.guess.kept) { this.guess.group.remove(); this.verdict.textContent = ""; return; }
    const target = this.data.prediction.target ?? "exact", rule = rules.find(({ name }) => name === target);
    const [mean, covariance] = rule ? momentsOf(rule.q) : [exact.mean, exact.covariance];
    const far = Math.hypot(...mean.map((value, k) => value - this.guess.at[k]));
    const wide = this.guess.long * this.guess.short / Math.sqrt(determinant(covariance));
    const parts = { ellipse: [0, 1], place: [0], width: [1] }[this.guess.asks].map((part) => [
      `its middle is ${number(far)} away`,
      `its area is ${number(wide)} times as large`][part]);
    this.verdict.textContent = `Your guess is dashed: ${parts.join(", ")}.`;
  }

  // ---- rules, gaps and bounds

  makeRows() {
    const { data } = this, waits = data.aggregators.length > 0;
    this.rows = Object.fromEntries(data.aggregators.map((name) => {
      const row = made("button", "rule-row", this.table), look = data.looks[name];
      row.type = "button";
      const swatch = drawn("svg", { class: "swatch", viewBox: "0 0 26 10", "aria-hidden": "true" }, row);
      drawn("path", { d: "M1 5H25", stroke: look.colour, "stroke-dasharray": look.dash }, swatch);
      made("span", "", row, look.name);
      const gap = made("output", "", row);
      row.addEventListener("click", () => { this.on[name] = !this.on[name]; this.draw(); });
      return [name, { row, gap }];
    }));
    this.table.hidden = !waits || !data.show.includes("ellipses");
  }

  fillRows({ rules, exact, whole }) {
    for (const { name, gap } of rules) {
      const { row, gap: cell } = this.rows[name], hidden = this.hides(name) || this.hides("exact");
      row.setAttribute("aria-pressed", this.on[name]);
      cell.textContent = this.data.show.includes("gaps") ? (hidden ? "?" : `${number(Math.max(gap, 0))} nats`) : "";
    }
    this.below.replaceChildren();
    if (this.data.show.includes("bounds") && !this.waits) this.fillBounds(rules.filter(({ name }) => this.on[name]), exact, whole);
  }

  fillBounds(rules, exact, whole) {
    const table = made("table", "numbers", this.below), head = made("tr", "", made("thead", "", table)), body = made("tbody", "", table);
    const terms = this.data.show.includes("terms");
    const titles = ["", ...(terms ? Object.values(TERMS) : []), "bound", "below log p(x)"];
    for (const title of titles) Object.assign(made("th", "", head, title), { scope: "col" });
    const line = (name, values, total, colour) => {
      const row = made("tr", "", body), first = made("th", "", row, name);
      first.scope = "row";
      if (colour) first.style.setProperty("--own", colour);
      if (terms) for (const term of Object.keys(TERMS)) made("td", "", row, values && term in values ? number(values[term]) : "");
      made("td", "total", row, number(total)).dataset.value = total;
      made("td", "", row, values ? number(whole.evidence - total) : "0.00");
    };
    line("exact log p(x)", null, whole.evidence);
    for (const bound of ["masked", "mixture"]) for (const rule of rules) {
      const values = rule[bound];
      line(`${this.data.looks[rule.name].name}, ${bound}`, values, sum(Object.values(values)), this.data.looks[rule.name].colour);
    }
    made("p", "", this.below, "In nats, for this item. The masked bound holds on average: for one item it may pass log p(x).");
  }

  sentence({ exact, rules, mask }) {
    const names = this.data.world.names.filter((_, m) => mask[m]).join(" and ") || "nothing";
    if (this.hides("exact")) return `Shown: ${names}. Place your guess.`;
    const { long, short } = ellipseOf(exact.covariance);
    const own = this.data.show.includes("exact") ? ` Exact posterior: middle ${number(exact.mean[0])}, ${number(exact.mean[1])}, `
      + `standard deviations ${number(long)} and ${number(short)}.` : "";
    const gaps = this.data.show.includes("gaps") ? rules.filter(({ name }) => this.on[name] && !this.hides(name))
      .map(({ name, gap }) => ` ${this.data.looks[name].name}: gap ${number(Math.max(gap, 0))} nats.`).join("") : "";
    return `Shown: ${names}.${own}${gaps}`;
  }
}

function momentsOf(q) {
  const weights = q.logWeights.map(Math.exp), mean = [0, 1].map((k) => sum(weights.map((w, at) => w * q.locs[at][k])));
  const covariance = [[0, 0], [0, 1], [1, 1]].map(([i, j]) => sum(weights.map((w, at) =>
    w * ((q.locs[at][i] - mean[i]) * (q.locs[at][j] - mean[j]) + (i === j ? q.scales[at][i] ** 2 : 0)))));
  return [mean, covariance];
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  const view = (root.view ??= new View(root));
  view.send = (guess) => setStateValue("guess", guess);
  if (view.stamp !== data.stamp) view.build(data);
  view.data = data;
  view.draw();
}
