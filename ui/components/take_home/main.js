// What a page shows, as files. Nothing is asked of the server: the browser draws them itself.
const FIGURES = `[data-figure], .stPlotlyChart, .panel, .item-grid, .strips, .side, .still, .shares,
  .matrices, .alike`;
const TABLES = "table.numbers";
const SCALE = 2; // of a PNG: so many of its pixels to one of the page's

export default function ({ parentElement, data }) {
  const home = parentElement.querySelector(".home"), list = home.querySelector("ul");
  const fill = () => home.open && list.replaceChildren(...offers(data.stem));
  home.ontoggle = fill;
  home.onpointerenter = fill; // what the page has drawn since
  fill();
  const name = (event) => nameCamera(event, data.stem);
  document.addEventListener("pointerover", name);
  return () => document.removeEventListener("pointerover", name);
}

function offers(stem) {
  const seen = {};
  const unlike = (name) => {
    seen[name] = (seen[name] ?? 0) + 1;
    return seen[name] > 1 ? `${name} ${seen[name]}` : name;
  };
  const roots = document.querySelectorAll(".stMain, .stSidebar details[open]");
  return [...roots].flatMap(within).map((element) => {
    const isTable = element.matches(TABLES), name = unlike(nameOf(element));
    const file = fileName(stem, name);
    return offer(name, isTable
      ? [["CSV", () => save(new Blob([csvOf(element)], { type: "text/csv" }), `${file}.csv`)]]
      : [["SVG", () => saveFigure(element, file, "svg")],
        ["PNG", () => saveFigure(element, file, "png")]]);
  });
}

// Figures and tables in the order of the page; what lies in another figure is part of that.
function within(root) {
  const found = [], walk = (parent) => {
    for (const one of parent.children) {
      if (!one.getClientRects().length && getComputedStyle(one).display !== "contents") continue;
      if (one.matches(FIGURES) || one.matches(TABLES)) found.push(one);
      else {
        if (one.shadowRoot) walk(one.shadowRoot);
        walk(one);
      }
    }
  };
  walk(root);
  return found;
}

function nameOf(element) {
  const label = element.getAttribute("aria-label"); // a chart's is a sentence
  const own = element.dataset.figure || (!element.matches(".stPlotlyChart") && label)
    || element.closest("[role=region][aria-label]")?.getAttribute("aria-label")
    || textOf(element.querySelector("h3, h4") ?? document.createElement("p"));
  if (own) return own;
  const host = element.getRootNode().host ?? element;
  const heads = [...document.querySelectorAll(".stMain :is(h1, h2, h3)")].filter((one) =>
    one.compareDocumentPosition(host) & Node.DOCUMENT_POSITION_FOLLOWING && textOf(one));
  return heads.length ? textOf(heads.at(-1)) : "figure";
}

function offer(name, ways) {
  const row = document.createElement("li");
  row.append(Object.assign(document.createElement("span"), { textContent: name }));
  for (const [kind, act] of ways) {
    const button = Object.assign(document.createElement("button"), { type: "button",
      textContent: kind, onclick: act });
    button.setAttribute("aria-label", `${name} as ${kind}`);
    row.append(button);
  }
  return row;
}

const fileName = (...parts) => parts.join("_").replace(/[^\p{L}\d.+_-]+/gu, "-").slice(0, 150);

function save(blob, name) {
  const link = Object.assign(document.createElement("a"),
    { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function saveFigure(element, file, format) {
  const chart = element.querySelector(".js-plotly-plot");
  if (chart?.querySelector(".gl-canvas")) return saveByPlotly(chart, file, format);
  const ground = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
  const svg = new Blob([svgOf(element, ground)], { type: "image/svg+xml" });
  if (format === "svg") return save(svg, `${file}.svg`);
  const { width, height } = element.getBoundingClientRect();
  const picture = new Image(), url = URL.createObjectURL(svg);
  picture.onload = () => {
    const canvas = Object.assign(document.createElement("canvas"),
      { width: Math.round(SCALE * width), height: Math.round(SCALE * height) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(url);
    canvas.toBlob((blob) => save(blob, `${file}.png`));
  };
  picture.src = url;
}

// What WebGL has drawn only plotly can draw again; its camera does.
function saveByPlotly(chart, filename, format) {
  chart._context.toImageButtonOptions = { filename, format, scale: SCALE };
  chart.querySelector(".modebar-btn[data-attr=toImage], .modebar-btn[data-title^=Download]")
    ?.click();
}

// A chart's own camera writes an SVG of the same name.
function nameCamera(event, stem) {
  const chart = event.target.closest?.(".modebar-btn") && event.target.closest(".js-plotly-plot");
  if (!chart?._context) return;
  const filename = fileName(stem, nameOf(chart.closest(".stPlotlyChart")));
  chart._context.toImageButtonOptions = { filename, format: "svg", scale: SCALE };
}
