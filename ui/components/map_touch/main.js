// Ring, pictures and clicks on maps. Streamlit makes a chart anew whenever its figure changes, so
// nothing of this is in the figure: it lies over the chart, and follows its axes.
const LOOK_MS = 200, STILL_PX = 5, NEAR_PX = { mouse: 12, other: 26 };
const MOST_PICTURES = 150, ZOOMED = 0.6; // of all points, to be pictures
const RING_PX = 24, THUMB_PX = 64;
const EVENTS = ["afterplot", "relayout", "relayouting", "redraw", "restyle"];

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".map-touch");
  const view = (root.view ??= { hooked: new WeakSet(), images: {} });
  Object.assign(view, { data, card: root.querySelector(".card"),
    send: (item) => setTriggerValue("item", item) });
  root.querySelector(".draw").onclick = (event) => useLasso(view, event.currentTarget);
  const look = () => charts(view).forEach((gd) => {
    hook(view, gd);
    if (!view.told && gd.querySelector(".no-webgl")) setTriggerValue("lacks", (view.told = true));
  });
  look();
  charts(view).forEach((gd) => paint(view, gd));
  const timer = setInterval(look, LOOK_MS);
  const press = listenToPresses(view);
  return () => { clearInterval(timer); press(); view.card.hidden = true; };
}

function charts(view) {
  return view.data.charts.flatMap((key) =>
    [...document.querySelectorAll(`.st-key-${key} .js-plotly-plot`)]).filter((gd) =>
    gd.on && gd._fullLayout?._size && gd._fullData);
}

function hook(view, gd) {
  if (gd.layer && gd.contains(gd.layer) && view.hooked.has(gd)) return;
  if (!gd.layer || !gd.contains(gd.layer)) gd.append((gd.layer = makeLayer()));
  if (!view.hooked.has(gd)) {
    view.hooked.add(gd);
    for (const name of EVENTS) gd.on(`plotly_${name}`, () => paint(view, gd));
    gd.on("plotly_animatingframe", () => { gd.layer.style.visibility = "hidden"; });
    gd.on("plotly_animated", () => { gd.layer.style.visibility = ""; paint(view, gd); });
    gd.on("plotly_hover", ({ points, event }) => showCard(view, points[0], event));
    gd.on("plotly_unhover", () => { view.card.hidden = true; });
  }
  paint(view, gd);
}

function makeLayer() {
  const layer = document.createElement("div");
  layer.className = "map-layer";
  layer.innerHTML = '<canvas aria-hidden="true" hidden></canvas><span class="map-ring"></span>';
  layer.firstChild.dataset.pictures = 0;
  return layer;
}

function paint(view, gd) {
  if (!gd.layer || !gd._fullLayout?._size) return;
  const box = plotBox(gd), ring = gd.layer.lastChild, shown = [];
  let count = 0;
  ring.hidden = true;
  eachPoint(gd, (item, x, y, colour, opacity) => {
    count += 1;
    if (!isInside(box, x, y)) return;
    if (shown.length <= MOST_PICTURES) shown.push({ item, x, y, colour, opacity });
    if (item !== view.data.item) return;
    ring.hidden = false;
    ring.dataset.item = item;
    ring.style.translate = `${x - RING_PX / 2}px ${y - RING_PX / 2}px`;
  });
  const isZoomed = shown.length <= Math.min(MOST_PICTURES, ZOOMED * count);
  paintPictures(view, gd, box, isZoomed ? shown : []);
}

function paintPictures(view, gd, box, shown) {
  const canvas = gd.layer.firstChild, ratio = window.devicePixelRatio || 1;
  const wide = gd.clientWidth, high = gd.clientHeight, sheet = view.data.sheets[0];
  if (!shown.length || !sheet) { // each attribute that is set has the page's styles asked again
    if (!canvas.hidden) Object.assign(canvas, { hidden: true }).dataset.pictures = 0;
    return;
  }
  Object.assign(canvas, { hidden: false }).dataset.pictures = 0;
  const image = load(view, sheet, () => paint(view, gd));
  if (!image) return;
  Object.assign(canvas, { width: wide * ratio, height: high * ratio });
  const pen = canvas.getContext("2d"), area = (box.right - box.left) * (box.bottom - box.top);
  pen.scale(ratio, ratio);
  pen.beginPath();
  pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.clip();
  const tall = Math.min(46, Math.max(26, 0.5 * Math.sqrt(area / shown.length)));
  const across = tall * sheet.width / sheet.height;
  for (const { item, x, y, colour, opacity } of shown) {
    pen.globalAlpha = opacity;
    pen.fillStyle = colour;
    pen.fillRect(x - across / 2 - 2.5, y - tall / 2 - 2.5, across + 5, tall + 5);
    drawThumb(pen, image, sheet, item, x - across / 2, y - tall / 2, across, tall);
  }
  canvas.dataset.pictures = shown.length;
}

function drawThumb(pen, image, { columns, width, height }, item, x, y, wide, high) {
  pen.drawImage(image, (item % columns) * width, Math.floor(item / columns) * height, width, height,
    x, y, wide, high);
}

// A sheet is fetched when it is first needed; null until it is there.
function load(view, sheet, then) {
  let image = view.images[sheet.url];
  if (!image) {
    image = view.images[sheet.url] = new Image();
    image.waiting = [];
    image.onload = () => image.waiting.splice(0).forEach((one) => one());
    image.src = sheet.url;
  }
  if (image.complete && image.naturalWidth) return image;
  image.waiting.push(then);
  return null;
}

function showCard(view, point, event) {
  const item = point.customdata, { sheets, texts } = view.data;
  if (item === undefined || !(sheets.length || Object.keys(texts).length)) return;
  const pictures = document.createElement("div"), head = document.createElement("b");
  pictures.className = "pictures";
  head.textContent = `item ${item}, ${point.fullData.name}`;
  for (const sheet of sheets) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: Math.round(THUMB_PX * sheet.width / sheet.height),
      height: THUMB_PX });
    const draw = () => drawThumb(canvas.getContext("2d"), view.images[sheet.url], sheet, item, 0, 0,
      canvas.width, canvas.height);
    if (load(view, sheet, draw)) draw();
    pictures.append(canvas);
  }
  const words = Object.values(texts).map((all) =>
    Object.assign(document.createElement("p"), { textContent: all[item].trim() || "·" }));
  view.card.replaceChildren(head, pictures, ...words);
  view.card.dataset.item = item;
  view.card.hidden = false;
  place(view.card, event);
}

// Beside the pointer, and whole within the window.
function place(card, { clientX, clientY }) {
  const { width, height } = card.getBoundingClientRect();
  const left = clientX + 24 + width > window.innerWidth ? clientX - 24 - width : clientX + 24;
  const top = Math.min(clientY + 24, window.innerHeight - height - 8);
  Object.assign(card.style, { left: `${Math.max(8, left)}px`, top: `${Math.max(8, top)}px` });
}

// A press and a release at one place choose the nearest item; a drag is the chart's own.
function listenToPresses(view) {
  let from = null;
  const chartOf = (event) => {
    const gd = event.target.closest?.(".js-plotly-plot");
    const control = event.target.closest?.(".modebar, .legend, .updatemenu-container, .infolayer");
    return gd && !control && charts(view).includes(gd) ? gd : null;
  };
  const down = (event) => {
    from = event.button === 0 ? { gd: chartOf(event), x: event.clientX, y: event.clientY } : null;
  };
  const up = (event) => {
    const start = from;
    from = null;
    if (!start?.gd || Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL_PX) return;
    const near = NEAR_PX[event.pointerType] ?? NEAR_PX.other;
    const found = nearestItem(start.gd, event, near);
    if (found && found.item !== view.data.item) view.send(found.item);
  };
  const gone = () => { from = null; };
  const all = [["pointerdown", down], ["pointerup", up], ["pointercancel", gone]];
  all.forEach(([name, act]) => document.addEventListener(name, act, true));
  return () => all.forEach(([name, act]) => document.removeEventListener(name, act, true));
}

// On a narrow screen a finger scrolls the page, until this is pressed.
function useLasso(view, button) {
  const use = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", use);
  button.textContent = use ? "Scroll again" : "Choose with a lasso";
  for (const key of view.data.charts)
    document.querySelectorAll(`.st-key-${key}`).forEach((one) => {
      one.toggleAttribute("data-lasso", use);
    });
}
