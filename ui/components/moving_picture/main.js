// One picture that moves by one slider; all of it here, the server hears of nothing.

const SCENES = { still: Still, orders: Orders, blur: Blur, hole: Hole, turn: Turn, neighbours: Neighbours };

class Moving {
  constructor(root) {
    this.root = root;
  }

  build(data) {
    this.stamp = data.stamp;
    this.root.replaceChildren();
    const stage = made("div", `stage ${data.kind}`, this.root);
    stage.setAttribute("part", "stage");
    this.scene = new SCENES[data.kind](stage, data, (value) => this.move(value));
    this.control = null;
    if (data.open && data.kind !== "still") this.offer(made("div", "control", this.root));
    this.draw(this.scene.slider.value);
  }

  offer(box) {
    const { slider: settings } = this.scene;
    box.setAttribute("part", "control");
    made("span", "", box, settings.label);
    this.control = slider(box, settings, (value) => this.later(value));
    this.value = made("output", "", box);
  }

  move(value) {
    if (!this.control) return;
    this.control.value = value;
    this.draw(value);
  }

  // However often a pointer moves, once a frame.
  later(value) {
    this.wanted = value;
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(this.wanted); });
  }

  draw(value) {
    const told = this.scene.draw(value), said = this.scene.slider.text(value);
    if (!this.control) return;
    this.value.textContent = said;
    this.control.setAttribute("aria-valuetext", `${said}: ${told}`);
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".root"), moving = (root.moving ??= new Moving(root));
  if (moving.stamp !== data.stamp) moving.build(data);
}
