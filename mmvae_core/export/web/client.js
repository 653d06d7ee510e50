// A model behind promises: in a worker made of the text of the scripts, or, where the browser gives no
// worker, on the page itself.

class Client {
  constructor(text) {
    this.turn = 0
    this.waiting = new Map()
    try {
      const body = `${text}\nconst kept = {}\nonmessage = event => postMessage(perform(kept, event.data))`
      this.worker = new Worker(URL.createObjectURL(new Blob([body], { type: "text/javascript" })))
      this.worker.onmessage = event => this.take(event.data)
      this.worker.onerror = event => this.fail(event.message ?? "no worker could be started")
    } catch {
      this.kept = {}
    }
  }

  ask(what, message = {}, transfer = []) {
    if (this.dead) return Promise.reject(Error(this.dead))
    const turn = ++this.turn, asked = { ...message, do: what, turn }
    return new Promise((done, failed) => {
      this.waiting.set(turn, { done, failed })
      if (this.worker) this.worker.postMessage(asked, transfer)
      else setTimeout(() => this.take(perform(this.kept, asked)))
    })
  }

  fail(reason) {
    this.dead = reason
    for (const { failed } of this.waiting.values()) failed(Error(reason))
    this.waiting.clear()
  }

  take(answer) {
    const { done, failed } = this.waiting.get(answer.turn)
    this.waiting.delete(answer.turn)
    if (answer.error) failed(Error(answer.error))
    else done(answer)
  }
}
