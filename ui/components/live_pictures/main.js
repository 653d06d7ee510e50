// What is chosen here, on a card of the lattice or by a stroke of the pad paints at once, in the place of
// the server's pictures; one frame later Streamlit is told, so that address, session and history are
// its own. `now` is what is chosen, `data` what the server said last; a stamp is either in short.
const CHOICE = "mmvae-decode"
const CANNOT = "Pictures are made by the server"
const MOST_SEED = 2 ** 31 - 1
const views = new WeakMap()
const codeOf = mask => mask.map(Number).join("")

function adler(text) { // as zlib.adler32
  let low = 1, high = 0
  for (const sign of text) { low = (low + sign.charCodeAt(0)) % 65521; high = (high + low) % 65521 }
  return high * 65536 + low
}

class Live {
  constructor(root) {
    this.root = root
    this.sent = []   // stamps of which the server has not told yet
    this.at = what => root.querySelector(what)
    this.off = () => localStorage.getItem(CHOICE) === "server"
    this.at(".where button").onclick = () => {
      localStorage.setItem(CHOICE, this.off() ? "browser" : "server")
      this.take(this.data, this.tell)
    }
    this.heard = { "mmvae-mask": event => this.choose(event), "mmvae-drawn": event => this.draw(event) }
    this.listenToWays()
  }

  stamp(now = this.now) { return `${codeOf(now.mask)} ${now.seed} ${now.count} ${now.temperature} ${adler(Object.values(now.drawn).join(","))}` }

  take(data, tell) {
    this.tell = tell
    for (const [name, hear] of Object.entries(this.heard)) document.addEventListener(name, hear)
    const own = this.sent.indexOf(data.stamp)
    if (this.now && data.stamp === this.stamp()) this.sent = []
    else if (own >= 0) this.sent.splice(0, own + 1) // an answer to what was chosen here
    else if (data.stamp !== this.data?.stamp || !this.now) {
      this.now = { mask: [...data.mask].map(one => one === "1"), seed: data.seed, count: data.count, temperature: data.temperature, drawn: { ...data.drawn } }
      this.sent = []
      this.strokes = {}
    }
    this.data = data
    if (data.why) return this.rest(`${CANNOT}, as ${data.why}.`, "")
    if (this.off()) return this.rest(`${CANNOT}.`, "Make them in this browser")
    this.known = data.values.map(value => value?.data === undefined ? value : valueOf(value))
    this.knowAll(this.now).then(() => this.ready(), error => this.rest(`${CANNOT}, as this browser cannot (${error.message}).`, ""))
  }

  rest(text, button) { // as ever: Streamlit's controls, the server's pictures
    this.say(text, button)
    this.made = null
    this.at(".live").hidden = true
    this.place()?.removeAttribute("data-ready")
    this.settled()
  }

  settled() { // what the server says is of what is shown
    document.documentElement.removeAttribute("data-waits")
    document.querySelectorAll("[data-made]").forEach(panel => panel.removeAttribute("data-waits"))
  }

  ready() {
    this.say("Pictures are made in this browser.", "Leave it to the server")
    this.build()
    this.mark()
    this.at(".live").hidden = false
    this.place()?.setAttribute("data-ready", "")
    this.watch()
    if (this.stamp() === this.data.stamp) this.settled()
    else this.show()
  }

  say(text, button) {
    this.at("[role=status]").textContent = text
    this.at(".where button").textContent = button
    this.at(".where button").hidden = !button
  }

  place() { return document.querySelector(".st-key-live") }

  build() {
    const { names, counts, hottest, step } = this.data, box = this.at(".pills")
    if ([...box.children].map(one => one.textContent).join() !== names.join())
      box.replaceChildren(...names.map((name, index) => {
        const pill = document.createElement("button")
        pill.type = "button"
        pill.textContent = name
        pill.onclick = () => this.toggle(index)
        return pill
      }))
    this.at(".ways").hidden = !counts.length
    if (this.at("select").length !== counts.length) this.at("select").replaceChildren(...counts.map(count => new Option(count)))
    Object.assign(this.at("input"), { max: hottest, step })
  }

  mark() {
    const lacks = this.data.lacks
    ;[...this.at(".pills").children].forEach((pill, index) => {
      pill.setAttribute("aria-pressed", this.now.mask[index])
      pill.disabled = lacks.includes(this.data.names[index])
    })
    this.at("input").value = this.at("output").value = this.now.temperature
    this.at("select").value = this.now.count
    document.dispatchEvent(new CustomEvent("mmvae-shown", { detail: codeOf(this.now.mask) }))
  }

  // What was chosen is painted, and one frame later told by `tell`.
  chosen(tell) {
    this.sent.push(this.stamp())
    this.mark()
    const after = () => requestAnimationFrame(() => setTimeout(tell))
    this.show().then(after, after)
  }

  toggle(index) {
    this.now.mask = this.now.mask.map((kept, other) => other === index ? !kept : kept)
    this.chosen(() => document.querySelectorAll(".st-key-mask button")[index]?.click())
  }

  listenToWays() {
    const tell = () => { const { seed, count, temperature } = this.now; this.tell("ways", { seed, count, temperature }) }
    this.at("input").oninput = () => { this.now.temperature = Number(this.at("input").value); this.mark(); this.show() }
    this.at("input").onchange = () => this.chosen(tell)
    this.at("select").onchange = () => { this.now.count = Number(this.at("select").value); this.chosen(tell) }
    this.at(".again").onclick = () => { this.now.seed = Math.floor(MOST_SEED * Math.random()); this.chosen(tell) }
  }

  get isReady() { return this.place()?.hasAttribute("data-ready") }

  choose(event) { // a card, or its key
    if (!this.isReady) return
    event.preventDefault()
    this.now.mask = [...event.detail.mask].map(one => one === "1")
    this.chosen(event.detail.send)
  }

  draw(event) { // a stroke, or a part of one, which is not told yet
    const { name, text, strokes, send } = event.detail
    if (!this.isReady || !(name in this.now.drawn)) return
    event.preventDefault()
    this.now.drawn[name] = text
    this.strokes[name] = strokes
    if (send) this.chosen(send)
    else this.show()
  }

  // The values of an item or a visitor [modality]: null where there is none, undefined where the server alone knows.
  values(now) {
    return this.data.names.map((name, index) => {
      const known = this.known[index], [, height, width] = this.data.parts[index].shape
      if (known === "hidden" || !(name in now.drawn) || now.drawn[name] === this.data.drawn[name]) return known === "hidden" ? undefined : known
      return this.strokes[name]?.length ? ink(this.strokes[name], height, width) : null
    })
  }

  knowAll(now) {
    const item = `${this.data.item} ${Object.values(now.drawn).join()}`, values = this.values(now).map(value => value ?? null)
    return Promise.all(this.data.runs.map(address => decoder().know(address, item, values)))
  }

  // One at a time; of those that are asked for meanwhile, the newest.
  show() {
    this.due = true
    return this.working ??= this.work().finally(() => { this.working = null })
  }

  async work() {
    while (this.due) {
      this.due = false
      const { data } = this, now = { ...this.now, drawn: { ...this.now.drawn } }, values = this.values(now)
      const given = now.mask.map((kept, index) => kept && values[index] !== null), nothing = !given.some(Boolean)
      if (given.some((kept, index) => kept && values[index] === undefined)) continue
      if (nothing && data.prior && data.prior !== "trained") continue // the server's to make
      await this.knowAll(now)
      const asked = { mask: given, count: now.count, shown: Math.min(now.count, data.most ?? now.count), seed: now.seed,
        temperature: now.temperature, prior: nothing && !!data.prior }
      const made = await Promise.all(data.runs.map(address => decoder().ask(address, "draw", asked)))
      if (!this.isReady) return
      this.made = { data, now, values, given, made, shown: asked.shown }
      this.paint()
    }
  }

  paint() {
    const { data, now, values, given, made, shown } = this.made, stamp = this.stamp(now)
    for (const panel of document.querySelectorAll("[data-made]")) {
      const index = data.names.indexOf(panel.dataset.made), part = data.parts[index]
      if (index < 0) continue
      if (data.make) panel.hidden = !wanted(data, given)[index]
      const server = panel.dataset.stamp === stamp
      if (panel.hidden || (server && !panel.hasAttribute("data-here"))) continue // the server's own, and right
      panel.setAttribute("data-here", "")
      panel.toggleAttribute("data-waits", !server) // its verdict is of something else until the server answers
      const badge = panel.closest(".panel").querySelector(".badge"), word = data.words[given[index] ? 0 : 1]
      badge.className = given[index] ? "badge" : "badge made"
      badge.textContent = word
      const { means, atMean } = made[Number(panel.dataset.run ?? 0)], middle = panel.querySelector(".pair figure:last-child")
      if (middle) paint(part, middle, atMean[index], 1, 1, `${part.name} at the mean of z`, data.widest)
      if (data.mean) paint(part, panel, atMean[index], 1, data.columns, `1 value of ${part.name}, ${word}.`)
      else paint(part, panel, means[index], shown, data.columns, `${shown} values of ${part.name}, ${word}.`)
    }
    this.paintGiven(data, now, values, given)
    document.documentElement.toggleAttribute("data-waits", this.data.stamp !== stamp)
    document.documentElement.dataset.live = stamp
  }

  paintGiven(data, now, values, given) {
    for (const figure of document.querySelectorAll("[data-given]")) {
      const index = data.names.indexOf(figure.dataset.given), name = data.names[index]
      figure.hidden = !given[index]
      figure.closest(".panel").hidden = !given.some(Boolean)
      if (figure.hidden || (now.drawn[name] ?? "") === (data.drawn[name] ?? "") && !figure.hasAttribute("data-here")) continue
      figure.setAttribute("data-here", "")
      paint(data.parts[index], figure, values[index], 1, 1, `${name} as given`, data.widest)
    }
  }

  watch() { // an old answer of the server may draw its pictures over newer ones
    const main = document.querySelector("[data-testid=stMain]")
    if (this.observer || !main) return
    this.observer = new MutationObserver(changes => {
      const redrawn = changes.some(one => [...one.addedNodes].some(node => node.querySelector?.("[data-made]") || node.dataset?.made))
      const stamp = this.stamp()
      if (redrawn && this.made && this.stamp(this.made.now) === stamp && stamp !== this.data.stamp) this.paint()
    })
    this.observer.observe(main, { childList: true, subtree: true })
  }

  leave() {
    for (const [name, hear] of Object.entries(this.heard)) document.removeEventListener(name, hear)
    this.observer?.disconnect()
    this.observer = null
    if (!this.place()) document.documentElement.removeAttribute("data-waits")
  }
}

// What is generated: what is asked for and not given, or, where all is given, everything.
function wanted({ names, make }, given) {
  const missing = names.map((name, index) => !given[index] && make.includes(name))
  return missing.some(Boolean) ? missing : names.map(() => given.every(Boolean))
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  let view = views.get(parentElement)
  if (!view) views.set(parentElement, view = new Live(parentElement))
  view.take(data, setTriggerValue)
  return () => view.leave()
}
