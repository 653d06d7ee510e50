// ---- the posteriors of all nodes on one pair of axes; paths come ready from Python

function drawn(tag, attributes, parent, text) {
  const one = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  if (text !== undefined) one.textContent = text;
  parent?.append(one);
  return one;
}

function drawAxes(svg, plane) {
  const size = plane.size;
  drawn("rect", { x: 0, y: 0, width: size, height: size, class: "frame" }, svg);
  for (const [x, text] of plane.x) {
    drawn("line", { x1: x, x2: x, y1: 0, y2: size, class: "grid" }, svg);
    drawn("text", { x, y: size + 20, class: "tick", "text-anchor": "middle" }, svg, text);
  }
  for (const [y, text] of plane.y) {
    drawn("line", { x1: 0, x2: size, y1: y, y2: y, class: "grid" }, svg);
    drawn("text", { x: -8, y: y + 5, class: "tick", "text-anchor": "end" }, svg, text);
  }
  drawn("text", { x: size / 2, y: size + 44, class: "axis", "text-anchor": "middle" }, svg,
    plane.titles[0]);
  drawn("text", { x: -42, y: size / 2, class: "axis", "text-anchor": "middle",
    transform: `rotate(-90 -42 ${size / 2})` }, svg, plane.titles[1]);
}

// One group a node; `chosen(row)` on a click, `looked(row | null)` while the pointer is over it.
function drawPlane(place, lattice, chosen, looked) {
  const plane = lattice.plane, size = plane.size;
  const svg = drawn("svg", { role: "img", class: "plane", "data-figure": "Posteriors of all masks",
    viewBox: [-PAD.left, -PAD.other, size + PAD.left + PAD.other,
      size + PAD.bottom + PAD.other].join(" "), "aria-label": plane.label });
  drawAxes(svg, plane);
  const last = lattice.names.length;
  const groups = plane.nodes.map((node, row) => {
    const shown = lattice.nodes[row].mask.split("1").length - 1;
    const group = drawn("g", { class: "posterior", style: `--shown: ${shown / last}` }, svg);
    drawn("path", { d: node.outer, class: "outer" }, group);
    drawn("path", { d: node.inner, class: "inner" }, group);
    if (plane.exact[row]) drawn("path", { d: plane.exact[row], class: "exact" }, group);
    drawn("circle", { cx: node.at[0], cy: node.at[1], r: 4, class: "at" }, group);
    group.addEventListener("click", () => chosen(row));
    group.addEventListener("pointerenter", () => looked(row));
    group.addEventListener("pointerleave", () => looked(null));
    return group;
  });
  place.append(svg);
  return groups;
}

// Which mask an outline or a card is of: on the plane, and beside it in plain text.
function tell(view, row) {
  const at = row ?? view.cards.findIndex((card) => card.classList.contains("lit"));
  const node = view.lattice.nodes[at], group = view.groups[at];
  if (!view.named || !node) return;
  view.named.textContent = `${row === null ? "Lit" : "Here"}: ${node.title}, ${node.rate} nats, `
    + `width ${node.width}`;
  view.tag.textContent = row === null ? "" : node.title;
  if (row === null) return;
  const box = group.getBBox();
  view.tag.setAttribute("x", box.x + box.width / 2);
  view.tag.setAttribute("y", Math.max(16, box.y - 8));
  view.tag.ownerSVGElement.append(view.tag);
}
