// One worker a tab, whichever component asks it: it outlives reruns and page switches, and keeps the
// models that were asked last. A value is what `stored_value` of mmvae_core/export/values.py writes.
const MOST_MODELS = 6

class Decoder {
  constructor() {
    this.client = new Client(SCRIPTS)
    this.opened = new Map() // by address: the model, a promise
    this.known = new Map()  // by address: the item that the worker has of it, a promise
  }

  open(address) {
    if (!this.opened.has(address)) {
      const opened = this.load(address)
      this.opened.set(address, opened)
      opened.catch(() => this.opened.delete(address))
      for (const old of this.opened.keys()) if (this.opened.size > MOST_MODELS) this.close(old)
    }
    return this.opened.get(address)
  }

  close(address) {
    this.opened.delete(address)
    this.known.delete(address)
    this.client.ask("close", { of: address }).catch(() => {})
  }

  async load(address) {
    const answer = await fetch(new URL(address, document.baseURI))
    if (!answer.ok) throw Error(`the server answered ${answer.status}`)
    const buffer = await answer.arrayBuffer()
    return this.client.ask("open", { of: address, buffer }, [buffer])
  }

  // The posteriors of all subsets of an item; `item` names its values [modality], null where none is.
  know(address, item, values) {
    const held = this.known.get(address)
    if (held?.item === item) return held.done
    const done = this.open(address).then(() => this.client.ask("know", { of: address, values }))
    this.known.set(address, { item, done })
    done.catch(() => this.known.delete(address))
    return done
  }

  async ask(address, what, message) {
    await this.open(address)
    return this.client.ask(what, { ...message, of: address })
  }
}

function decoder() {
  if (!window.mmvaeDecoder || window.mmvaeDecoder.client.dead) window.mmvaeDecoder = new Decoder()
  return window.mmvaeDecoder
}

function valueOf({ type, divided, data }) {
  const bytes = Uint8Array.from(atob(data), sign => sign.charCodeAt(0))
  return type === "f4" ? new Float32Array(bytes.buffer) : Float32Array.from(bytes, one => one / divided)
}
