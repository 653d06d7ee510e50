// Elements, drawings, numbers and sliders of which components are made.

const SVG = "http://www.w3.org/2000/svg";
const number = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

function made(tag, name, parent, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

function drawn(tag, attributes, parent) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  parent?.append(element);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

// A native slider with its words; `moved(value)` at every step of pointer or key.
function slider(parent, { label, low, high, step, value, text }, moved) {
  const input = made("input", "", parent);
  Object.assign(input, { type: "range", min: low, max: high, step });
  input.value = value;
  const tell = () => {
    input.setAttribute("aria-label", label);
    input.setAttribute("aria-valuetext", text(Number(input.value)));
  };
  input.addEventListener("input", () => { tell(); moved(Number(input.value)); });
  tell();
  return input;
}
