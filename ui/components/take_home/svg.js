// A part of the page as an SVG of its own: boxes, pictures and lines of text, each where it stands.
const NS = "http://www.w3.org/2000/svg";
const PRESENTATION = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "opacity",
  "stroke-opacity", "stroke-linecap", "stroke-linejoin", "font-size", "font-weight", "font-family",
  "font-style", "text-anchor", "dominant-baseline", "paint-order", "display", "visibility"];
const SKIPPED = ".modebar-container, .hoverlayer, .updatemenu-container, .tip, .zoomlayer, script, style";
const CLEAR = /^(transparent|rgba\(0, 0, 0, 0\))$/;

function svgOf(root, ground) {
  const frame = root.getBoundingClientRect();
  const svg = node("svg", { xmlns: NS, width: frame.width, height: frame.height,
    viewBox: `0 0 ${frame.width} ${frame.height}` });
  node("rect", { width: frame.width, height: frame.height, fill: ground }, svg);
  draw(root, svg, frame);
  return new XMLSerializer().serializeToString(svg);
}

function node(tag, attributes, parent) {
  const one = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  parent?.append(one);
  return one;
}

function draw(element, parent, frame) {
  const style = getComputedStyle(element);
  if (style.display === "none" || style.visibility === "hidden" || element.matches(SKIPPED)) return;
  const place = (style.opacity < 1) ? node("g", { opacity: style.opacity }, parent) : parent;
  const rect = element.getBoundingClientRect();
  const box = { x: rect.left - frame.left, y: rect.top - frame.top,
    width: rect.width, height: rect.height };
  if (element instanceof SVGElement) return drawSvg(element, place, box);
  drawBox(style, place, box);
  if (element instanceof HTMLImageElement) return drawImage(element.src, style, place, box);
  if (element instanceof HTMLCanvasElement)
    return drawImage(element.toDataURL(), style, place, box);
  for (const child of (element.shadowRoot ?? element).childNodes) {
    if (child instanceof Element) draw(child, place, frame);
    else if (child instanceof Text) drawText(child, style, place, frame);
  }
}

function drawSvg(element, parent, box) {
  const copy = element.cloneNode(true), pairs = [[element, copy]];
  while (pairs.length) {
    const [from, to] = pairs.pop();
    const style = getComputedStyle(from);
    for (const name of PRESENTATION) to.style.setProperty(name, style.getPropertyValue(name));
    [...from.children].forEach((child, at) => pairs.push([child, to.children[at]]));
  }
  copy.querySelectorAll(SKIPPED).forEach((one) => one.remove());
  for (const [name, value] of Object.entries(box)) copy.setAttribute(name, value);
  for (const name of ["position", "left", "top", "transform"]) copy.style.removeProperty(name);
  copy.setAttribute("overflow", getComputedStyle(element).overflow);
  parent.append(copy);
}

function drawBox(style, parent, box) {
  const url = /url\("(data:[^"]+)"\)/.exec(style.backgroundImage)?.[1];
  const gradient = /gradient\(.*?(rgba?\([^)]*\))/.exec(style.backgroundImage)?.[1];
  const fill = gradient ?? (CLEAR.test(style.backgroundColor) ? "none" : style.backgroundColor);
  const sides = ["Top", "Right", "Bottom", "Left"].map((side) => ({
    width: style[`border${side}Style`] === "none" ? 0 : parseFloat(style[`border${side}Width`]),
    colour: style[`border${side}Color`], kind: style[`border${side}Style`] }));
  const even = sides.every((side) => side.width === sides[0].width);
  const wide = even ? sides[0].width : 0, radius = parseFloat(style.borderTopLeftRadius) || 0;
  if (fill !== "none" || wide) node("rect", { x: box.x + wide / 2, y: box.y + wide / 2,
    width: Math.max(0, box.width - wide), height: Math.max(0, box.height - wide), fill,
    rx: style.borderTopLeftRadius.endsWith("%") ? box.width / 2 : radius,
    ...stroke(wide, sides[0]) }, parent);
  if (!even) drawSides(sides, parent, box);
  if (url) drawCut(url, style, parent, box);
}

function stroke(width, { colour, kind }) {
  if (!width || CLEAR.test(colour)) return {};
  const dash = kind === "dashed" ? { "stroke-dasharray": `${3 * width} ${2 * width}` } : {};
  return { stroke: colour, "stroke-width": width, ...dash };
}

function drawSides(sides, parent, { x, y, width, height }) {
  const ends = [[x, y, x + width, y], [x + width, y, x + width, y + height],
    [x, y + height, x + width, y + height], [x, y, x, y + height]];
  sides.forEach((side, at) => {
    const [x1, y1, x2, y2] = ends[at];
    if (side.width) node("line", { x1, y1, x2, y2, ...stroke(side.width, side) }, parent);
  });
}

// A background picture, of which the box shows a part.
function drawCut(url, style, parent, box) {
  const part = (text, whole) => (text?.endsWith("%") ? parseFloat(text) / 100 * whole
    : parseFloat(text));
  const [across, down] = style.backgroundSize.split(" ");
  const width = part(across, box.width) || box.width;
  const height = part(down, box.height) || box.height;
  const [left, top] = style.backgroundPosition.split(" ");
  const x = part(left, box.width - width) || 0, y = part(top, box.height - height) || 0;
  const cut = node("svg", { ...box, viewBox: `0 0 ${box.width} ${box.height}` }, parent);
  drawImage(url, style, cut, { x, y, width, height });
}

function drawImage(url, style, parent, box) {
  if (!url.startsWith("data:") || !box.width || !box.height) return;
  node("image", { href: url, ...box, preserveAspectRatio: "none",
    style: `image-rendering: ${style.imageRendering}` }, parent);
}

// One <text> a line, as wide as it stands on the page whatever fonts a viewer has.
function drawText(text, style, parent, frame) {
  if (!text.data.trim()) return;
  const pen = (drawText.pen ??= document.createElement("canvas").getContext("2d"));
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText("x");
  for (const { said, rect } of linesOf(text)) {
    const line = node("text", { x: rect.left - frame.left,
      y: rect.top - frame.top + rect.height * up / (up + down), fill: style.color,
      textLength: rect.right - rect.left, lengthAdjust: "spacingAndGlyphs",
      "font-size": style.fontSize, "font-weight": style.fontWeight,
      "font-family": style.fontFamily }, parent);
    line.textContent = said;
  }
}

function linesOf(text) {
  const range = document.createRange(), lines = [];
  for (const { index, 0: word } of text.data.matchAll(/\S+/g)) {
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    const { left, right, top, height } = range.getBoundingClientRect();
    if (!height) continue;
    const last = lines.at(-1);
    if (last && Math.abs(last.rect.top - top) < 2) {
      last.said += ` ${word}`;
      last.rect.right = right;
    } else lines.push({ said: word, rect: { left, right, top, height } });
  }
  return lines;
}
