import { Controller } from '@hotwired/stimulus'

/** A message that leaves by itself after ten seconds, not while it is hovered or focused; alerts stay. */
export default class extends Controller {
  connect() {
    if (this.element.dataset.tone !== 'alert') this.resume()
  }

  disconnect() {
    clearTimeout(this.timer)
  }

  pause() {
    clearTimeout(this.timer)
  }

  resume() {
    if (this.element.dataset.tone === 'alert') return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.close(), 10000)
  }

  close() {
    this.element.remove()
  }
}
