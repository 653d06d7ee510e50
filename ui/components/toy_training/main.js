// Trainings side by side, drawn anew at every tick: a curve, an ellipse and a row for each.

const WIDE = 640, HIGH = 240, LEFT = 46, BOTTOM = 30, DEEPEST = 8; // nats below log p(x) that are drawn
const TITLES = { shown: "log p(shown | z)", rest: "log p(rest | z)", rate: "− rate", cross_rate: "− cross rate" };

class Course {
  constructor(root) {
    this.root = root;
    this.bound = "masked";
  }

  build(data) {
    this.stamp = data.stamp;
    this.subset = data.subsets.at(-1);
    this.root.replaceChildren();
    this.choices = made("div", "choices", this.root);
    this.bounds = this.choose("Bound", ["masked", "mixture"], "bound");
    this.subsets = this.choose("Posterior of", data.subsets, "subset");
    this.chart = drawn("svg", { class: "chart", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "data-figure": "training" }, this.root);
    this.planes = made("div", "planes", this.root);
    this.rows = Object.fromEntries(data.names.map((name) => {
      const figure = made("figure", "", this.planes), caption = made("figcaption", "", figure), look = data.looks[name];
      const swatch = drawn("svg", { class: "swatch", viewBox: "0 0 26 10", "aria-hidden": "true" }, caption);
      drawn("path", { d: "M1 5H25", stroke: look.colour, "stroke-dasharray": look.dash }, swatch);
      made("b", "", caption, look.name);
      return [name, { plane: new Plane(figure, data.range, `posterior ${look.name}`), gap: made("output", "", caption) }];
    }));
    this.below = made("div", "below", this.root);
  }

  choose(title, values, field) {
    const box = made("div", "choice", this.choices);
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", title);
    made("span", "", box, title);
    return values.map((value) => {
      const pill = made("button", "pill", box, value);
      pill.type = "button";
      pill.addEventListener("click", () => { this[field] = value; this.draw(this.data); });
      return { value, pill };
    });
  }

  draw(data) {
    this.data = data;
    for (const [field, pills] of [["bound", this.bounds], ["subset", this.subsets]]) {
      for (const { value, pill } of pills) pill.setAttribute("aria-pressed", value === this[field]);
    }
    this.drawChart();
    for (const name of data.names) this.drawPlane(name);
    this.drawTable();
  }

  // How far the bound is below log p(x) at every tick; what is deeper is cut off.
  drawChart() {
    const { data, chart, bound } = this, last = Math.max(data.steps.at(-1), 100);
    const x = (step) => LEFT + (WIDE - LEFT - 8) * step / last;
    const y = (below) => 14 + (HIGH - BOTTOM - 14) * Math.min(DEEPEST, Math.max(-0.4, below)) / DEEPEST;
    chart.replaceChildren();
    for (let nats = 0; nats <= DEEPEST; nats += 2) {
      drawn("path", { class: nats ? "grid" : "truth", d: `M${LEFT} ${y(nats)}H${WIDE - 8}` }, chart);
      drawn("text", { x: LEFT - 6, y: y(nats) + 4, "text-anchor": "end" }, chart).textContent = nats;
    }
    for (const [text, at, anchor] of [[`log p(x) ${number(data.log_p)}`, y(0) - 3, "end"], [`step ${data.steps.at(-1)}`, HIGH - 6, "end"]]) {
      drawn("text", { x: WIDE - 8, y: at, "text-anchor": anchor }, chart).textContent = text;
    }
    drawn("text", { x: LEFT, y: HIGH - 6 }, chart).textContent = `nats below log p(x), ${bound} bound`;
    for (const name of data.names) {
      const points = data.steps.map((step, at) => `${x(step).toFixed(1)} ${y(data.curves[name][bound][at]).toFixed(1)}`);
      const look = data.looks[name];
      drawn("path", { class: "curve", d: `M${points.join("L")}`, stroke: look.colour, "stroke-dasharray": look.dash }, chart);
    }
    const now = data.names.map((name) => `${data.looks[name].name} ${number(data.curves[name][bound].at(-1))}`);
    chart.setAttribute("aria-label", `After ${data.steps.at(-1)} steps the ${bound} bound is below log p(x) by, in nats: ${now.join(", ")}`);
  }

  drawPlane(name) {
    const { plane, gap } = this.rows[name], { data, subset } = this, [logWeights, locs, scales] = data.posteriors[name][subset];
    const exact = data.exact?.[subset], q = { logWeights, locs, scales }, look = data.looks[name];
    plane.clear();
    if (exact) plane.ellipse(exact.mean, ellipseOf(exact.covariance), { class: "exact" });
    plane.mixture(q, look);
    const value = exact ? `${number(Math.max(0, data.gaps[name][subset]))} nats` : "";
    gap.textContent = value;
    plane.svg.setAttribute("aria-label", `Posterior of ${subset} by ${look.name}${value && `, gap ${value}`}`);
  }

  drawTable() {
    const { data, bound } = this, table = made("table", "numbers"), body = made("tbody", "", table);
    const terms = Object.keys(TITLES).filter((term) => data.terms[data.names[0]][bound][term] !== undefined);
    const head = made("tr", "", made("thead", ""));
    table.prepend(head.parentNode);
    for (const title of ["", ...terms.map((term) => TITLES[term]), "bound", "below log p(x)"]) {
      made("th", "", head, title).scope = "col";
    }
    for (const name of data.names) {
      const row = made("tr", "", body), values = data.terms[name][bound], first = made("th", "", row, data.looks[name].name);
      first.scope = "row";
      first.style.setProperty("--own", data.looks[name].colour);
      for (const term of terms) made("td", "", row, number(values[term]));
      made("td", "total", row, number(sum(terms.map((term) => values[term]))));
      made("td", "", row, `${number(data.curves[name][bound].at(-1))} ± ${number(1.96 * data.errors[name][bound])}`);
    }
    this.below.replaceChildren(table);
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".root"), course = (root.course ??= new Course(root));
  if (course.stamp !== data.stamp) course.build(data);
  course.draw(data);
}
