// One item under every subset, all of it ready: a pill only changes which node is drawn.
const SVG = "http://www.w3.org/2000/svg";
const EASE_MS = 800;
const CYCLE_MS = { before: 1300, shown: 3200 }; // the opening: all, something hidden, all; below 5 s
const WIDE = 0.6; // pictures of a smaller height to width are stretched, as bars may be
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function made(tag, name, parent, text) {
  const one = document.createElement(tag);
  if (name) one.className = name;
  if (text !== undefined) one.textContent = text;
  parent?.append(one);
  return one;
}

function drawn(tag, attributes, parent) {
  const one = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  parent?.append(one);
  return one;
}

// ---- pictures and words: two faces, of which one fades into the other

// Draws `wide` cells of the modality's sheet from the one at `start` on.
function paint(face, part, start, wide, cells) {
  const last = cells / wide - 1;
  face.style.cssText = `background-image: var(--sheet${part.index});
    background-size: ${100 * cells / wide}% 100%;
    background-position: ${last ? 100 * start / wide / last : 0}% 0`;
}

function write(face, words) {
  face.replaceChildren(...words.map((word) => {
    const text = word.trim() || "·";
    const cell = made("span", "word", null);
    made("span", "letters", cell, text);
    cell.style.setProperty("--letters", Math.max(4, text.length));
    return cell;
  }));
}

function makeFaces(parent, part, wide) {
  const tile = made("div", part.sheet ? "tile" : "tile text", parent);
  tile.style.setProperty("--draws", wide);
  const tall = part.ratio * part.draws; // of one draw
  if (part.sheet && tall < WIDE) tile.classList.add("wide");
  else if (part.sheet) tile.style.aspectRatio = String(wide / tall);
  return { tile, faces: [made("span", "face", tile), made("span", "face", tile)], row: -1 };
}

function turn(one, part, nodes, row, wide) {
  if (one.row === row) return;
  one.row = row;
  const [front, back] = one.faces;
  if (part.sheet) paint(back, part, row * part.draws, wide, nodes * part.draws);
  else write(back, part.words[row].slice(0, wide));
  front.classList.remove("on");
  back.classList.add("on");
  one.faces.reverse();
}

// ---- the posterior in the plane

function makePlane(view, parent) {
  const plane = view.picture.plane;
  const svg = drawn("svg", { class: "plane", viewBox: `0 0 ${plane.size} ${plane.size}` }, parent);
  drawn("rect", { class: "frame", width: plane.size, height: plane.size, rx: 14 }, svg);
  for (const [colour, d] of plane.dots) drawn("path", { class: "dots", stroke: colour, d }, svg);
  view.outline = drawn("path", { class: "outline" }, svg);
  view.draws = plane.nodes[0].draws.map(() => drawn("circle", { class: "draw", r: 10 }, svg));
  view.place = null;
}

// Where the region and the draws of a node are, as one list of numbers.
const placeOf = (node) => [...node.box, ...node.draws.flat()];

// Stretches the node's outline to the box that begins the list, and moves the draws.
function put(view, node, place) {
  const [x, y, wide, high] = place, [left, top, width, height] = node.box;
  const across = wide / Math.max(width, .1), down = high / Math.max(height, .1);
  view.outline.setAttribute("transform",
    `translate(${x} ${y}) scale(${across} ${down}) translate(${-left} ${-top})`);
  view.draws.forEach((dot, index) => {
    dot.setAttribute("cx", place[4 + 2 * index]);
    dot.setAttribute("cy", place[5 + 2 * index]);
  });
}

// The region grows or shrinks from where that of the last subset is, and the draws move with it.
function glide(view, row) {
  cancelAnimationFrame(view.frame);
  const node = view.picture.plane.nodes[row], to = placeOf(node), from = view.place ?? to;
  view.outline.setAttribute("d", node.outline);
  const begun = performance.now(), at_once = still() || !view.place;
  const step = (now) => {
    const part = at_once ? 1 : Math.min(1, Math.max(0, (now - begun) / EASE_MS));
    const eased = part < 0.5 ? 4 * part ** 3 : 1 - (2 - 2 * part) ** 3 / 2;
    view.place = from.map((value, index) => value + eased * (to[index] - value));
    put(view, node, view.place);
    if (part < 1) view.frame = requestAnimationFrame(step);
  };
  step(begun);
}

// ----

function build(view, data) {
  view.picture = data.picture;
  view.stamp = data.stamp;
  const { names, parts } = view.picture, root = view.root;
  root.replaceChildren();
  parts.forEach((part, index) => {
    part.index = index;
    if (part.sheet) root.style.setProperty(`--sheet${index}`, `url(${part.sheet})`);
  });
  view.stage = made("div", names.length > 3 ? "stage many" : "stage", root);
  view.stage.dataset.figure = "From what is shown to what is made";
  view.told = made("p", "told", view.stage); // what the picture shows, for who cannot see it
  view.told.setAttribute("role", "img");
  view.flow = drawn("svg", { class: "flow" }, view.stage);
  const columns = ["The model is shown", "places that among others", "and makes of it"].map(
    (title, index) => {
      const column = made("div", ["own", "mid", "made"][index], view.stage);
      column.setAttribute("aria-hidden", "true");
      made("h3", "", column, title);
      return column;
    });
  view.rows = parts.map((part, index) => makeRow(view, columns, part, index));
  view.middle = made("div", "middle", columns[1]);
  makePlane(view, view.middle);
  view.facts = made("p", "facts", columns[1]);
  makePills(view, made("div", "pills", view.stage));
  view.said = made("p", "said", view.stage);
  view.wires = parts.map(() => [0, 1].map(() => drawn("path", {}, view.flow)));
}

function makeRow(view, columns, part, index) {
  const own = made("div", "row", columns[0]);
  const left = makeFaces(own, part, 1);
  made("span", "name", own, part.name);
  turn(left, part, view.picture.nodes.length + 1, view.picture.nodes.length, 1);
  left.tile.addEventListener("click", () => view.toggle(index));
  const right = makeFaces(made("div", "row", columns[2]), part, part.draws);
  const tag = made("span", "tag", right.tile.parentNode);
  return { part, left, right, tag };
}

function makePills(view, place) {
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", "Shown to the model");
  made("span", "", place, "Press to hide or show:");
  view.pills = view.picture.names.map((name, index) => {
    const pill = made("button", "pill", place, name);
    pill.type = "button";
    pill.addEventListener("click", () => view.toggle(index));
    return pill;
  });
}

function light(view, mask) {
  view.lit = mask;
  const row = view.picture.nodes.findIndex((node) => node.mask === mask);
  const node = view.picture.nodes[row];
  view.rows.forEach(({ part, left, right, tag }, index) => {
    const shown = mask[index] === "1";
    left.tile.classList.toggle("hidden", !shown);
    right.tile.classList.toggle("dreamt", !shown);
    tag.textContent = shown ? "rebuilt" : "dreamt";
    tag.classList.toggle("dreamt", !shown);
    view.pills[index].setAttribute("aria-pressed", shown);
    view.wires[index][0].classList.toggle("off", !shown);
    view.wires[index][1].classList.toggle("dreamt", !shown);
    turn(right, part, view.picture.nodes.length + 1, row, part.draws);
  });
  glide(view, row);
  view.facts.replaceChildren();
  for (const [what, value, unit, plainly] of [
    ["learnt ", node.rate, " nats", `${node.answers} yes-or-no answers`],
    ["unsure ", node.width, "", `of ${view.picture.before} at first`],
  ]) {
    const fact = made("span", "", view.facts, what);
    made("b", "", fact, value).after(unit);
    made("small", "", fact, plainly);
  }
  view.said.textContent = node.said;
  tellDiagram(view, mask);
  view.told.setAttribute("aria-label", node.label);
}

// The page's diagram of the model's parts (ui/start/diagram.py) follows.
function tellDiagram(view, mask) {
  for (const part of document.querySelectorAll(".diagram [data-modality]")) {
    const shown = mask[part.dataset.modality] === "1", { says, ways } = part.dataset;
    const one = (both) => both.split("|")[shown ? 0 : 1];
    part.classList.toggle("off", !shown);
    if (says) part.querySelector("small").textContent = one(says);
    if (ways) part.dataset.way = one(ways);
  }
  const names = view.picture.names.filter((_, index) => mask[index] === "1");
  for (const one of document.querySelectorAll(".diagram .shown"))
    one.textContent = names.join(", ") || "nothing";
}

// Lines from what is shown to what is known, and on to what is made.
function wire(view) {
  const stage = view.stage.getBoundingClientRect();
  view.flow.setAttribute("viewBox", `0 0 ${stage.width} ${stage.height}`);
  const middle = view.middle.getBoundingClientRect();
  const curve = (x1, y1, x2, y2) =>
    `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
  const heart = middle.top - stage.top + middle.height / 2, count = view.rows.length;
  view.rows.forEach(({ left, right }, index) => {
    const from = left.tile.getBoundingClientRect(), to = right.tile.getBoundingClientRect();
    const at = heart + (index - (count - 1) / 2) * 14;
    view.wires[index][0].setAttribute("d", curve(from.right - stage.left + 4,
      from.top - stage.top + from.height / 2, middle.left - stage.left - 3, at));
    view.wires[index][1].setAttribute("d", curve(middle.right - stage.left + 3, at,
      to.left - stage.left - 4, to.top - stage.top + to.height / 2));
  });
}

// All, something hidden, all again: once, until the visitor does something.
function cycle(view, mask) {
  if (!mask || still() || mask === view.lit) return;
  const first = view.lit, { before, shown } = CYCLE_MS;
  view.timers = [
    setTimeout(() => light(view, mask), before),
    setTimeout(() => light(view, first), before + shown),
  ];
  for (const kind of ["pointerdown", "keydown", "wheel"])
    window.addEventListener(kind, view.halt, { once: true, passive: true });
}

function halt(view) {
  view.timers?.forEach(clearTimeout);
  view.timers = null;
  for (const kind of ["pointerdown", "keydown", "wheel"])
    window.removeEventListener(kind, view.halt);
  view.said.setAttribute("aria-live", "polite"); // by itself the picture does not speak
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".root");
  const view = (root.view ??= { root });
  view.halt ??= () => halt(view);
  view.toggle ??= (index) => {
    halt(view);
    light(view, [...view.lit].map((bit, at) => (at === index ? String(1 - bit) : bit)).join(""));
  };
  if (view.stamp !== data.stamp || view.given !== data.lit) {
    if (view.timers) halt(view);
    if (view.stamp !== data.stamp) build(view, data);
    view.given = data.lit;
    light(view, data.lit);
    cycle(view, data.cycle);
  }
  view.observer ??= new ResizeObserver(() => wire(view));
  view.observer.observe(view.stage);
  return () => { halt(view); view.observer.disconnect(); };
}
