// The lattice: one button a subset, in columns by how many modalities are shown.
const NARROW = 560, GAPS = { 1: 90, 2: 84, 3: 66, 4: 60, 5: 44 }, TIGHTEST = 36;
const ROOMY = 3; // up to so many modalities every edge's number is shown
const WIDEST = 250, SLIMMEST = { 1: 150, 2: 150, 3: 150, 4: 132, 5: 102 }, ROW_GAP = 12;
const BORDER = 4; // the box's padding, for the focus ring
const TYPED = "input, textarea, select, [contenteditable], [role=combobox], [role=textbox]";
const SVG = "http://www.w3.org/2000/svg";
const PAD = { left: 62, bottom: 52, other: 6 }; // around the plane, for its axes

function made(tag, name, parent, text) {
  const one = document.createElement(tag);
  if (name) one.className = name;
  if (text !== undefined) one.textContent = text;
  parent?.append(one);
  return one;
}

const sizeOf = (mask) => mask.split("1").length - 1;
const flipped = (mask, index) =>
  [...mask].map((bit, at) => (at === index ? (bit === "1" ? "0" : "1") : bit)).join("");

function makePart(view, node, row, part, index) {
  const tile = made("span", `tile ${node.mask[index] === "1" ? "given" : "made"}`, null);
  const count = view.lattice.nodes.length;
  if (part.sheet) {
    const picture = made("span", "picture", tile);
    picture.style.cssText = `background-image: var(--sheet${index}); aspect-ratio: ${1 / part.ratio};
      background-size: ${100 * count}% 100%; background-position: ${100 * row / (count - 1)}% 0`;
  } else {
    const words = node.words[index].map((word) => word.trim() || "·");
    made("span", "lines", tile, words.join("\n"))
      .style.setProperty("--letters", Math.max(4, ...words.map((word) => word.length)));
  }
  if (node.right[index]) made("span", "right", tile, node.right[index]);
  return tile;
}

// There is no room for the names of all; with many modalities for none: their keys.
function titleOf(view, node) {
  if (!node.mask.includes("0")) return "everything";
  if (view.lattice.names.length <= ROOMY || sizeOf(node.mask) === 0) return node.title;
  return [...node.mask].flatMap((bit, index) => (bit === "1" ? [index + 1] : [])).join(" + ");
}

function makeCard(view, node, row) {
  const card = made("button", node.lacks ? "node lacks" : "node", view.board);
  card.type = "button";
  card.tabIndex = -1;
  card.dataset.mask = node.mask;
  card.title = node.lacks ? node.label : node.title;
  made("span", "title", card).append(...titleOf(view, node).split("+").flatMap((name, at) =>
    at ? ["+", document.createElement("wbr"), name] : [name])); // it may go on below
  const tiles = made("span", "tiles", card);
  view.lattice.parts.forEach((part, index) =>
    tiles.append(makePart(view, node, row, part, index)));
  made("span", "bar", card).style.setProperty("--share", node.bar);
  const line = made("span", "line", card);
  made("b", "", made("span", "", line), node.rate).after(" nats");
  made("span", "", line, `width ${node.width}`);
  if (node.gap) made("span", "", line, `gap ${node.gap}`);
  made("span", "step", card);
  card.addEventListener("click", () => view.choose(row));
  card.addEventListener("pointerenter", () => view.look(row));
  card.addEventListener("pointerleave", () => view.look(null));
  card.addEventListener("focus", () => view.look(row));
  card.addEventListener("blur", () => view.look(null));
  return card;
}

// The value, and its error below it.
function makeLabel(group, text) {
  const label = drawn("text", { "text-anchor": "middle" }, group);
  const [value, error] = text.split(" ± ");
  drawn("tspan", {}, label, value);
  if (error) drawn("tspan", { class: "error", dy: 15 }, label, `± ${error}`);
  return label;
}

function build(view, data) {
  view.lattice = data.lattice;
  view.stamp = data.stamp;
  view.root.replaceChildren();
  view.root.dataset.count = data.lattice.names.length;
  data.lattice.parts.forEach((part, index) =>
    part.sheet && view.root.style.setProperty(`--sheet${index}`, `url(${part.sheet})`));
  view.box = made("div", "box", view.root);
  view.box.setAttribute("role", "group");
  view.box.dataset.figure = "Lattice of all masks";
  view.box.setAttribute("aria-label", "All subsets of the modalities");
  view.board = made("div", "board", view.box);
  view.wires = drawn("svg", { class: "wires", "aria-hidden": "true" }, view.board);
  view.cards = data.lattice.nodes.map((node, row) => makeCard(view, node, row));
  view.edges = data.lattice.edges.map(([lower, upper, modality, text, strength, rate]) => {
    const group = drawn("g", { class: "edge", style: `--strength: ${strength}` }, view.wires);
    return { lower, upper, modality, text, rate, group, line: drawn("line", {}, group),
      label: makeLabel(group, text) };
  });
  view.board.addEventListener("keydown", (event) => move(view, event));
  view.groups = [];
  if (data.lattice.plane) {
    const below = made("div", "below", view.root);
    view.groups = drawPlane(below, data.lattice, view.choose, view.look);
    view.tag = drawn("text", { class: "tag", "text-anchor": "middle" }, below.querySelector("svg"));
    const words = made("div", "words", below);
    view.named = made("p", "named", words);
    view.named.setAttribute("role", "status");
    data.lattice.plane.notes.forEach((note) => made("p", "", words, note));
  }
  layOut(view);
}

function layOut(view) {
  const nodes = view.lattice.nodes, count = view.lattice.names.length;
  const wide = view.board.parentNode.clientWidth - 2 * BORDER, compact = wide < NARROW;
  view.root.classList.toggle("compact", compact);
  if (compact) {
    view.board.style.cssText = "";
    view.cards.forEach((card) => { card.style.cssText = ""; });
    return;
  }
  const sizes = nodes.map((node) => sizeOf(node.mask));
  const first = Math.min(...sizes), columns = Math.max(...sizes) - first + 1;
  const slim = SLIMMEST[Math.min(count, 5)], room = (wide - slim * columns) / (columns - 1);
  const gap = Math.max(TIGHTEST, Math.min(GAPS[Math.min(count, 5)], room));
  const width = Math.min(WIDEST, Math.max(slim, (wide - gap * (columns - 1)) / columns));
  const apart = columns > 1 ? Math.max(gap, (wide - width * columns) / (columns - 1)) : 0;
  view.cards.forEach((card) => { card.style.cssText = `width: ${width}px`; });
  const tall = Math.max(...view.cards.map((card) => card.offsetHeight)) + ROW_GAP;
  const most = Math.max(...sizes.map((size) => sizes.filter((one) => one === size).length));
  const seen = {};
  view.spots = sizes.map((size) => {
    const among = sizes.filter((one) => one === size).length;
    seen[size] = (seen[size] ?? -1) + 1;
    return { x: (size - first) * (width + apart), y: tall * (seen[size] + (most - among) / 2) };
  });
  view.cards.forEach((card, row) => {
    card.style.height = `${tall - ROW_GAP}px`;
    card.style.transform = `translate(${view.spots[row].x}px, ${view.spots[row].y}px)`;
  });
  const whole = width * columns + apart * (columns - 1);
  view.board.style.cssText = `width: ${whole}px; height: ${tall * most}px`;
  view.wires.setAttribute("viewBox", `0 0 ${whole} ${tall * most}`);
  view.edges.forEach((edge) => wire(view, edge, width, tall - ROW_GAP));
}

function wire(view, edge, width, tall) {
  const from = view.spots[edge.lower], to = view.spots[edge.upper];
  const x1 = from.x + width, y1 = from.y + tall / 2, x2 = to.x, y2 = to.y + tall / 2;
  edge.ends = { x1, y1, x2, y2 };
  for (const [name, value] of Object.entries(edge.ends)) edge.line.setAttribute(name, value);
  name(edge, Math.abs(y2 - y1) > tall ? 0.34 : 0.5);
}

// Puts an edge's number at a fraction of its way.
function name(edge, at) {
  if (!edge.ends) return;
  const { x1, y1, x2, y2 } = edge.ends;
  for (const part of [edge.label, ...edge.label.children]) {
    part.setAttribute("x", x1 + at * (x2 - x1));
  }
  edge.label.setAttribute("y", y1 + at * (y2 - y1) + 5);
}

// Where numbers show only on the edges of one node, they stand apart from each other at the far end.
function nameFar(view, row) {
  if (view.lattice.names.length <= ROOMY) return;
  for (const edge of view.edges) {
    if (edge.lower === row) name(edge, 0.7);
    if (edge.upper === row) name(edge, 0.3);
  }
}

function light(view, mask) {
  view.lit = mask;
  const lit = view.lattice.nodes.findIndex((node) => node.mask === mask);
  view.cards.forEach((card, row) => {
    card.classList.toggle("lit", row === lit);
    card.setAttribute("aria-pressed", row === lit);
    card.tabIndex = row === lit || (lit < 0 && row === 0) ? 0 : -1;
    say(view, row, "");
  });
  view.groups.forEach((group, row) => group.classList.toggle("lit", row === lit));
  tell(view, null);
  if (view.groups[lit]) view.groups[lit].parentNode.append(view.groups[lit]);
  nameFar(view, lit);
  view.edges.forEach((edge) => {
    edge.group.classList.toggle("lit", edge.lower === lit || edge.upper === lit);
    const name = view.lattice.names[edge.modality];
    if (edge.lower === lit) say(view, edge.upper, `+ ${name}: ${told(edge)}`);
    if (edge.upper === lit) say(view, edge.lower, `here + ${name}: ${told(edge)}`);
  });
}

// How far the posterior moves along an edge, and what that does to the rate.
function told(edge) {
  return `moves ${edge.text} nats, rate ${edge.rate}`;
}

// What an edge to the chosen card tells, for narrow screens and for screen readers.
function say(view, row, text) {
  view.cards[row].querySelector(".step").textContent = text;
  view.cards[row].setAttribute("aria-label", view.lattice.nodes[row].label + (text && `; ${text}`));
}

function look(view, row) {
  nameFar(view, row);
  tell(view, row);
  view.cards.forEach((card, one) => card.classList.toggle("looked", one === row));
  view.groups.forEach((group, one) => group.classList.toggle("looked", one === row));
  view.edges.forEach((edge) =>
    edge.group.classList.toggle("looked", edge.lower === row || edge.upper === row));
}

// Right and left along an edge to the nearest neighbour, up and down within a column.
function move(view, event) {
  const row = view.cards.indexOf(event.target.closest("button.node"));
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 0, ArrowUp: 0 };
  if (row < 0 || !(event.key in steps)) return;
  event.preventDefault();
  const near = (one, other) => Math.abs(one - row) - Math.abs(other - row);
  const compact = view.root.classList.contains("compact");
  const along = { ArrowRight: view.edges.filter((edge) => edge.lower === row).map((e) => e.upper),
    ArrowLeft: view.edges.filter((edge) => edge.upper === row).map((edge) => edge.lower) };
  const size = sizeOf(view.lattice.nodes[row].mask);
  const fits = (one) => compact || sizeOf(view.lattice.nodes[one]?.mask ?? "") === size;
  const beside = event.key === "ArrowDown" ? row + 1 : row - 1;
  const next = along[event.key]?.sort(near)[0]
    ?? (steps[event.key] === 0 && fits(beside) ? beside : undefined);
  view.cards[next]?.focus();
}

function listen(view) {
  const typed = (event) => {
    const index = Number(event.key) - 1;
    const inField = event.composedPath().some((one) => one.matches?.(TYPED));
    if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
    if (index >= 0 && index < view.lattice.names.length) view.send(flipped(view.lit, index));
  };
  const shown = (event) => event.detail !== view.lit && light(view, event.detail);
  document.addEventListener("keydown", typed);
  document.addEventListener("mmvae-shown", shown);
  const observer = new ResizeObserver(() => layOut(view));
  observer.observe(view.root);
  return () => {
    document.removeEventListener("keydown", typed);
    document.removeEventListener("mmvae-shown", shown);
    observer.disconnect();
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  const view = (root.view ??= { root });
  view.send = (mask) => { // where the browser makes the pictures, they come first
    light(view, mask);
    const send = () => setTriggerValue("mask", mask);
    const asked = new CustomEvent("mmvae-mask", { cancelable: true, detail: { mask, send } });
    if (document.dispatchEvent(asked)) send();
  };
  view.choose = (row) => view.send(view.lattice.nodes[row].mask);
  view.look = (row) => look(view, row);
  const told = `${data.stamp} ${data.lit}`;
  if (view.stamp !== data.stamp) build(view, data);
  if (view.told !== told) light(view, data.lit); // else it may lag behind what is chosen here
  view.told = told;
  view.stop?.(); // this function runs at every change of the data, its cleanup only at the end
  view.stop = listen(view);
  return view.stop;
}
