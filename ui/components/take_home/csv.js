// A table of the page as CSV. A cell that carries its unrounded value gives both: the value in the
// column of its name, and what is shown in another.
const SHOWN = ", as shown";

function csvOf(table) {
  const rows = [...table.rows].map(cellsOf);
  const grouped = rows.some((cells) => cells.isGroup);
  const head = rows[0] ?? [], body = rows.slice(1);
  const valued = head.map((_, at) => body.some((cells) => cells[at]?.value !== undefined));
  const lines = [], whole = grouped ? ["group"] : [];
  lines.push([...whole, ...head.flatMap(({ text }, at) =>
    valued[at] ? [text, text + SHOWN] : [text])]);
  let group = "";
  for (const cells of body) {
    if (cells.isGroup) group = cells[0].text;
    else lines.push([...(grouped ? [group] : []), ...cells.flatMap(({ text, value }, at) =>
      valued[at] ? [value ?? "", text] : [text])]);
  }
  return lines.map((line) => line.map(quoted).join(",")).join("\n") + "\n";
}

function cellsOf(row) {
  const cells = [...row.cells].flatMap((cell) =>
    [...Array(cell.colSpan)].map((_, at) => (at ? { text: "" } : {
      text: textOf(cell), value: cell.dataset.value })));
  cells.isGroup = row.cells.length === 1 && row.cells[0].scope === "rowgroup";
  return cells;
}

// What is written in an element, without the explanations of its words.
function textOf(element) {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(".tip").forEach((one) => one.remove());
  copy.querySelectorAll("small, br, p, div").forEach((one) => one.before(" "));
  copy.querySelectorAll("img[alt]").forEach((one) => one.replaceWith(one.alt));
  return copy.textContent.replace(/\s+/g, " ").trim();
}

// No spreadsheet shall take a name for a formula.
function quoted(text) {
  const safe = /^[=@]/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
