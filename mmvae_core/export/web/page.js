// The page in one file: what is chosen, what is asked of the model, what is painted.

const DRAWS = 8, REACH = 3
const at = id => document.getElementById(id)
const chosen = { own: false, item: 0, mask: [], seed: 0, heat: 1, place: [0, 0] }
let client, packed, parts, looks, panels, followed, cards, values, prior, around, masks
const latest = {} // by place: only the newest answer is painted

// Bytes of 13 bits in two signs of 91, then inflated.
async function unpacked(text, length) {
  const bits = new Uint8Array(length + 2)
  let kept = 0, held = 0, to = 0
  const worth = code => code - 33 - (code > 34) - (code > 38) - (code > 60)
  for (let i = 0; i + 1 < text.length; i += 2) {
    held |= (worth(text.charCodeAt(i)) + 91 * worth(text.charCodeAt(i + 1))) << kept
    kept += 13
    while (kept > 7) { bits[to++] = held & 255; held >>>= 8; kept -= 8 }
  }
  const stream = new Blob([bits.subarray(0, length)]).stream().pipeThrough(new DecompressionStream("deflate"))
  return new Response(stream).arrayBuffer()
}

function parted(buffer) { // the head, the weights, their bytes put together again, and the items
  const length = new DataView(buffer).getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)))
  const bytes = new Uint8Array(buffer, 4 + length), halves = new Uint16Array(head.numbers)
  for (let i = 0; i < head.numbers; i++) halves[i] = bytes[i] << 8 | bytes[head.numbers + i]
  let from = 2 * head.numbers
  const items = head.manifest.modalities.map(({ name, item }) => {
    const { type, divided } = head.items[name], each = size(item), wide = type === "f4" ? 4 : 1
    const raw = bytes.slice(from, from += wide * each * head.labels.length)
    const all = type === "f4" ? new Float32Array(raw.buffer) : Float32Array.from(raw, one => one / divided)
    return head.labels.map((_, row) => all.subarray(row * each, (row + 1) * each))
  })
  return { head, halves, items }
}

async function start() {
  if (typeof DecompressionStream === "undefined") throw Error("This browser cannot unpack the model; use one of 2023 or later.")
  packed = parted(await unpacked(at("data").textContent, Number(at("data").dataset.bytes)))
  parts = packed.head.manifest.modalities
  looks = parts.map(lookOf)
  client = new Client(at("networks").textContent)
  const opened = await client.ask("open", { manifest: packed.head.manifest, halves: packed.halves })
  prior = opened.prior
  chosen.mask = parts.map(() => true)
  values = packed.items.map(rows => rows[0])
  build()
  document.querySelector("main").hidden = false
  at("said").textContent = ""
  await know()
}

function build() {
  const { labels, classes } = packed.head
  at("item").append(...labels.map((label, row) => element("option", { value: row }, `${row + 1}: ${classes[label] ?? "no class"}`)))
  at("pills").append(...parts.map((part, index) => pill(part.name, () => toggle(index))))
  panels = parts.map((part, index) => panel(part, index, at("panels")))
  followed = parts.map((part, index) => panel(part, index, at("followed")))
  followed.forEach(one => { one.source.remove(); one.badge.textContent = "at this place" })
  at("of-item").onclick = () => from(false)
  at("of-own").onclick = () => from(true)
  at("item").onchange = () => choose(Number(at("item").value))
  at("before").onclick = () => choose((chosen.item + labels.length - 1) % labels.length)
  at("after").onclick = () => choose((chosen.item + 1) % labels.length)
  at("again").onclick = () => { chosen.seed += 1; draw(); lattice() }
  at("heat").oninput = () => { chosen.heat = Number(at("heat").value); at("heat-said").textContent = chosen.heat.toFixed(1); draw() }
  document.addEventListener("keydown", event => {
    const index = Number(event.key) - 1
    const typing = event.target.closest("input[type=text], select, .field") || event.ctrlKey || event.metaKey || event.altKey
    if (!typing && index >= 0 && index < parts.length) toggle(index)
  })
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { draw(); lattice(); follow() })
  buildOwn()
  buildPlane()
}

function pill(name, act) {
  const made = element("button", { type: "button" }, name)
  made.onclick = act
  return made
}

function panel(part, index, box) {
  const badge = element("span", { class: "badge" }), source = looks[index].make(), tiles = looks[index].make()
  source.classList.add("source")
  const made = element("div", { class: "panel" }, element("h3", {}, part.name, badge), source, element("p", { class: "note" }), tiles)
  box.append(made)
  return { box: made, badge, source, tiles }
}

function buildOwn() { // a pad for the first grey picture, a line for each text
  const owns = element("div", { class: "owns" })
  packed.own = parts.map(() => null)
  const set = (index, value) => { packed.own[index] = value; chosen.mask[index] = value !== null; if (chosen.own) { values = packed.own; know() } }
  parts.forEach((part, index) => {
    if (part.kind === "GreyPicture" && part.shape[1] === part.shape[2]) {
      const box = element("div", {}, element("h3", {}, `Draw: ${part.name}`))
      new Pad(box, part.name, strokes => set(index, strokes.length ? ink(strokes, part.shape[1], part.shape[2]) : null))
      owns.append(box)
    } else if (part.kind === "Symbols" && part.alphabet) {
      const line = element("input", { type: "text", maxlength: part.shape[0], id: `own-${index}`, autocomplete: "off" })
      const told = element("p", { class: "note", role: "status" })
      line.oninput = () => {
        const text = part.alphabet === part.alphabet.toLowerCase() ? line.value.toLowerCase() : line.value
        const codes = [...text.padEnd(part.shape[0])].map(sign => part.alphabet.indexOf(sign))
        const wrong = codes.some(code => code < 0)
        told.textContent = wrong ? `Only these signs are known: ${part.alphabet.trim()}` : ""
        if (!wrong) set(index, text.trim() ? Float32Array.from(codes) : null)
      }
      owns.append(element("div", {}, element("h3", {}, element("label", { for: line.id }, `Type: ${part.name}`)), line, told))
    }
  })
  at("own").append(owns)
  at("of-own").hidden = !owns.children.length
}

function from(own) {
  chosen.own = own
  at("of-own").setAttribute("aria-pressed", own)
  at("of-item").setAttribute("aria-pressed", !own)
  at("own").hidden = !own
  at("items").hidden = own
  values = own ? packed.own : packed.items.map(rows => rows[chosen.item])
  chosen.mask = values.map(Boolean)
  know()
}

function choose(item) {
  chosen.item = item
  at("item").value = item
  values = packed.items.map(rows => rows[item])
  know()
}

function toggle(index) {
  if (!values[index]) return
  chosen.mask[index] = !chosen.mask[index]
  draw()
  plane()
  mark()
}

async function newest(place, what, message) { // nothing where a newer one was asked for meanwhile
  const turn = latest[place] = (latest[place] ?? 0) + 1, answer = await client.ask(what, message)
  return latest[place] === turn ? answer : null
}

async function know() {
  const known = await newest("know", "know", { values: values.map(value => value && Float32Array.from(value)) })
  if (!known) return
  masks = known
  draw()
  buildLattice()
  lattice()
  plane()
}

async function draw() {
  const mask = [...chosen.mask]
  ;[...at("pills").children].forEach((one, index) => { one.setAttribute("aria-pressed", mask[index]); one.disabled = !values[index] })
  const answer = await newest("draw", "draw", { mask, count: DRAWS, seed: chosen.seed, temperature: chosen.heat })
  if (!answer) return
  const given = parts.filter((_, index) => mask[index]).map(part => part.name).join(" + ") || "nothing"
  panels.forEach(({ box, badge, source, tiles }, index) => {
    const word = mask[index] ? "given, reconstructed" : "generated"
    box.className = `panel ${mask[index] ? "" : "made"} ${mask[index] || !values[index] ? "" : "hidden-one"}`
    badge.textContent = word
    source.hidden = !values[index]
    if (values[index]) looks[index].paint(source, values[index], 1, 1, `${parts[index].name} of the ${chosen.own ? "visitor" : "item"}${mask[index] ? "" : ", hidden"}`)
    looks[index].paint(tiles, answer.means[index], DRAWS, 4, `${DRAWS} values of ${parts[index].name}, ${word}, from ${given}`)
  })
  at("width").textContent = `Given ${given}: posterior width ${answer.width.toFixed(2)} (prior ${mean(prior).toFixed(2)}); ${DRAWS} draws, seed ${chosen.seed}.`
  at("panels").dataset.shown = `${codeOf(mask)} ${chosen.seed} ${chosen.heat}`
}

function buildLattice() {
  const box = at("lattice")
  box.replaceChildren()
  cards = masks.masks.map((mask, row) => {
    const rank = mask.filter(Boolean).length
    while (box.children.length <= rank) box.append(element("div", { class: "rank" }))
    const name = parts.filter((_, index) => mask[index]).map(part => part.name).join(" + ") || "nothing"
    const tiles = looks.map(look => look.make())
    const card = element("button", { type: "button" }, element("b", {}, name), element("span", { class: "row" }, ...tiles),
      element("span", {}, `width ${masks.widths[row].toFixed(2)}`))
    card.onclick = () => { chosen.mask = [...mask]; draw(); plane(); mark() }
    box.children[rank].append(card)
    return { card, tiles, mask, name }
  })
  mark()
}

function mark() { cards?.forEach(({ card, mask }) => card.setAttribute("aria-pressed", codeOf(mask) === codeOf(chosen.mask))) }

async function lattice() {
  const answer = await newest("lattice", "lattice", { seed: chosen.seed })
  if (!answer) return
  cards.forEach(({ tiles, name }, row) => tiles.forEach((tile, index) => {
    const all = answer.means[index], each = all.length / cards.length
    looks[index].paint(tile, all.subarray(row * each, (row + 1) * each), 1, 1, `${parts[index].name} from ${name}`)
  }))
  at("lattice").dataset.shown = chosen.seed
}

function buildPlane() {
  for (const id of ["across", "up"]) {
    at(id).append(...Array.from(prior, (_, index) => element("option", { value: index }, `latent ${index + 1}`)))
    at(id).onchange = () => { at(id).dataset.own = 1; follow() }
  }
  const field = at("plane"), move = event => {
    const box = field.getBoundingClientRect()
    put((event.clientX - box.left) / box.width * 2 - 1, 1 - (event.clientY - box.top) / box.height * 2)
  }
  field.onpointerdown = event => { field.setPointerCapture(event.pointerId); move(event) }
  field.onpointermove = event => { if (event.buttons) move(event) }
  field.onkeydown = event => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key]
    if (!way) return
    event.preventDefault()
    put(...chosen.place.map((one, axis) => one + way[axis] / 20))
  }
}

const put = (...place) => { chosen.place = place.map(one => Math.min(1, Math.max(-1, one))); follow() }

async function plane() { // around the posterior's mean, along the two latents that it knows best
  const answer = await newest("plane", "moments", { mask: [...chosen.mask] })
  if (!answer) return
  around = answer.mean
  const order = Array.from(prior, (_, index) => index).sort((a, b) => answer.stddev[a] / prior[a] - answer.stddev[b] / prior[b])
  ;["across", "up"].forEach((id, rank) => { if (!at(id).dataset.own) at(id).value = order[rank] ?? 0 })
  follow()
}

async function follow() {
  if (!around) return
  const z = Float32Array.from(around), axes = ["across", "up"].map(id => Number(at(id).value))
  axes.forEach((axis, rank) => { z[axis] += REACH * prior[axis] * chosen.place[rank] })
  at("dot").style.left = `${50 + 50 * chosen.place[0]}%`
  at("dot").style.top = `${50 - 50 * chosen.place[1]}%`
  const answer = await newest("follow", "decode", { z })
  if (!answer) return
  followed.forEach(({ tiles }, index) => looks[index].paint(tiles, answer.means[index], 1, 1, `${parts[index].name} at this place`))
  at("place").textContent = `The posterior's mean, moved by ${chosen.place.map((one, rank) => `${(REACH * one).toFixed(1)} prior standard deviations of latent ${axes[rank] + 1}`).join(" and ")}.`
  at("followed").dataset.shown = chosen.place.join(" ")
}

start().catch(error => { at("said").textContent = error.message })
