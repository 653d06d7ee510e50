// What the visitor moves: observations, noises, directions, which modalities are shown, the guess.

const REACH = 4; // standard deviations of an observation to both ends of its strip

// Where a number may lie: its mean under the prior, `REACH` standard deviations to both sides.
function reachOf(world, m, row) {
  const [a, b] = world.loadings[m][row], wide = REACH * Math.sqrt(a * a + b * b + world.noises[m] ** 2);
  return { low: world.offsets[m][row] - wide, high: world.offsets[m][row] + wide };
}

// One modality: its name, a strip a number, and the sliders that the card gives it.
class Part {
  constructor(view, parent, m) {
    this.view = view;
    this.m = m;
    const can = view.data.controls, name = view.data.world.names[m];
    this.box = made("div", "part", parent);
    this.box.setAttribute("part", name);
    const head = made("div", "head", this.box);
    if (can.includes("mask")) {
      this.pill = made("button", "pill", head, name);
      this.pill.type = "button";
      this.pill.addEventListener("click", () => view.flip(m));
    } else made("b", "", head, name);
    this.note = made("span", "note", head);
    this.strips = view.data.item[m].map((_, row) =>
      this.strip(row, can.includes(`observation:${m}`) || can.includes(`observation:${m}:${row}`)));
    if (can.includes(`noise:${m}`)) this.extra("noise", { low: Math.log(0.3), high: Math.log(2), step: 0.02,
      value: Math.log(view.world.noises[m]), text: (value) => number(Math.exp(value)) },
    (value) => view.setNoise(m, Math.exp(value)));
    if (can.includes(`turn:${m}`)) this.extra("turned by", { low: -180, high: 180, step: 1, value: 0,
      text: (value) => `${number(value, 0)}°` }, (value) => view.setTurn(m, value));
  }

  strip(row, moves) {
    const { item, world, data } = this.view, m = this.m, many = item[m].length > 1;
    const box = made("div", "strip", this.box), reach = reachOf(world, m, row);
    const band = made("span", "band", box), mark = made("span", "mark", box), told = made("span", "told");
    const label = data.world.names[m] + (many ? ` ${row + 1}` : "");
    if (moves) {
      box.classList.add("moves");
      this.input = slider(box, { label: `Observation of ${label}`, ...reach, step: 0.01, value: item[m][row],
        text: number }, (value) => this.view.setItem(m, row, value));
    }
    box.append(told);
    return { box, band, mark, told, reach, label };
  }

  extra(word, settings, moved) {
    const name = this.view.data.world.names[this.m], box = made("div", "extra", this.box);
    made("span", "", box, word);
    const input = slider(box, { ...settings, label: `${name}: ${word}` }, (value) => {
      told.textContent = settings.text(value);
      moved(value);
    });
    const told = made("output", "", box, settings.text(Number(input.value)));
  }

  // `exact` is of what is shown, and says where each number is expected.
  draw(exact, hidden) {
    const { item, world, mask } = this.view, m = this.m, shown = mask[m];
    this.box.classList.toggle("off", !shown);
    this.pill?.setAttribute("aria-pressed", shown);
    this.note.textContent = shown ? "" : "hidden";
    this.strips.forEach(({ band, mark, told, reach }, row) => {
      const w = world.loadings[m][row], share = (value) => 100 * (value - reach.low) / (reach.high - reach.low);
      const [a, b, c] = exact.covariance, middle = dot(w, exact.mean) + world.offsets[m][row];
      const wide = Math.sqrt(quadratic([a, b, c], w) + world.noises[m] ** 2);
      const ends = [middle - wide, middle + wide].map((value) => Math.min(100, Math.max(0, share(value))));
      band.hidden = hidden;
      band.style.cssText = `left: ${ends[0]}%; width: ${ends[1] - ends[0]}%`;
      mark.style.left = `${Math.min(100, Math.max(0, share(item[m][row])))}%`;
      told.textContent = shown ? number(item[m][row]) : hidden ? "" : `${number(middle)} ± ${number(wide)}`;
    });
  }
}

// A circle in the plane that a pointer drags, while it may; `moved` hears where.
function handleOf(view, parent, label, isFree, moved) {
  const dot = drawn("circle", { class: "handle", r: 9, tabindex: 0, role: "slider", "aria-label": label,
    "aria-valuemin": -10, "aria-valuemax": 10 }, parent);
  view.plane.svg.setAttribute("role", "group"); // an image could hold nothing that is moved
  dot.addEventListener("pointerdown", (event) => {
    if (!isFree() || event.button > 0) return;
    event.preventDefault();
    dot.focus();
    dot.setPointerCapture(event.pointerId);
    dot.onpointermove = (now) => moved(view.plane.place(now));
  });
  for (const end of ["pointerup", "pointercancel"]) dot.addEventListener(end, () => { dot.onpointermove = null; });
  return dot;
}

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// Where an arrow key leads, and how far; null for other keys.
function wayOf(event) {
  const way = WAYS[event.key];
  if (!way || event.ctrlKey || event.metaKey || event.altKey) return null;
  event.preventDefault();
  return { way, step: event.shiftKey ? 0.02 : 0.1 };
}

// The point behind the item: where it goes, all numbers of all views become what is made there, without noise.
class Place {
  constructor(view, at) {
    Object.assign(this, { view, at: [...at] });
    this.dot = handleOf(view, view.plane.svg, "The point; arrow keys move it", () => true, (point) => this.move(point));
    this.dot.addEventListener("keydown", (event) => {
      const found = wayOf(event);
      if (found) this.move(this.at.map((value, k) => value + found.step * found.way[k]));
    });
  }

  move(point) {
    const reach = this.view.plane.range;
    this.at = point.map((value) => Math.min(reach, Math.max(-reach, value)));
    this.view.setLatent(this.at);
  }

  draw() {
    const [cx, cy] = this.view.plane.spot(this.at);
    set(this.dot, { cx, cy, "aria-valuenow": number(this.at[0]).replace("−", "-"),
      "aria-valuetext": `${number(this.at[0])}, ${number(this.at[1])}` });
  }
}

// The guess: an ellipse that the visitor drags before the truth is shown.
class Guess {
  constructor(view, ask) {
    this.view = view;
    this.asks = ask.ask ?? "ellipse";
    this.start = ask.start ?? { at: [0, 0], long: 1, short: 1, angle: 0 };
    Object.assign(this, structuredClone(this.start));
    this.kept = false;
    this.group = drawn("g", { class: "guess" }, view.plane.svg);
    this.outline = drawn("ellipse", { class: "ghost" }, this.group);
    this.handles = this.kinds().map((kind) => this.handle(kind));
  }

  kinds() {
    return { ellipse: ["at", "long", "short"], place: ["at"], width: ["size"] }[this.asks];
  }

  get plain() {
    const rounded = (value) => Math.round(1000 * value) / 1000;
    return { at: this.at.map(rounded), long: rounded(this.long), short: rounded(this.short),
      angle: rounded(this.angle * 180 / Math.PI) };
  }

  handle(kind) {
    const name = { at: "its middle", long: "its length and direction", short: "its width", size: "its size" }[kind];
    const dot = handleOf(this.view, this.group, `Your guess: ${name}; arrow keys move it`,
      () => !this.kept, (point) => this.drag(kind, point));
    dot.addEventListener("keydown", (event) => this.key(kind, event));
    return { kind, dot };
  }

  drag(kind, point) {
    const far = point.map((value, k) => value - this.at[k]), length = Math.max(0.05, Math.hypot(...far) / HOLDS);
    if (kind === "at") this.at = point.map((value) => Math.min(this.view.plane.range, Math.max(-this.view.plane.range, value)));
    if (kind === "long") Object.assign(this, { long: length, angle: Math.atan2(far[1], far[0]) });
    if (kind === "short") this.short = length;
    if (kind === "size") Object.assign(this, { short: length * this.short / this.long, long: length });
    this.draw();
  }

  key(kind, event) {
    const found = this.kept ? null : wayOf(event);
    if (!found) return;
    const { way, step } = found, grown = (value, by) => Math.max(0.05, value * (1 + by * step));
    if (kind === "at") this.at = this.at.map((value, k) => value + step * way[k]);
    if (kind === "long") Object.assign(this, { long: grown(this.long, way[0]), angle: this.angle + step * way[1] });
    if (kind === "short") this.short = grown(this.short, way[0] + way[1]);
    if (kind === "size") Object.assign(this, { long: grown(this.long, way[0] + way[1]), short: grown(this.short, way[0] + way[1]) });
    this.draw();
  }

  draw() {
    const plane = this.view.plane, [cx, cy] = plane.spot(this.at), unit = HOLDS * SIZE / 2 / plane.range;
    set(this.outline, { cx, cy, rx: unit * this.long, ry: unit * this.short,
      transform: `rotate(${-this.angle * 180 / Math.PI} ${cx} ${cy})` });
    if (this.asks === "place") this.outline.setAttribute("visibility", "hidden");
    const along = [Math.cos(this.angle), -Math.sin(this.angle)];
    for (const { kind, dot } of this.handles) {
      const [x, y] = kind === "at" ? [cx, cy] : kind === "short"
        ? [cx + unit * this.short * along[1], cy - unit * this.short * along[0]]
        : [cx + unit * this.long * along[0], cy + unit * this.long * along[1]];
      const value = kind === "at" ? this.at[0] : kind === "short" ? this.short : this.long;
      set(dot, { cx: x, cy: y, "aria-valuenow": number(value).replace("−", "-"),
        "aria-valuetext": kind === "at" ? `${number(this.at[0])}, ${number(this.at[1])}`
          : `${number(value)}${kind === "long" ? `, at ${number(this.angle * 180 / Math.PI, 0)}°` : ""}` });
      dot.toggleAttribute("hidden", this.kept);
    }
    this.group.classList.toggle("kept", this.kept);
    if (this.kept) this.handles.forEach(({ dot }) => { dot.removeAttribute("tabindex"); set(dot, { visibility: "hidden" }); });
  }
}
