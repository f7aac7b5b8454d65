import { Controller } from '@hotwired/stimulus'

/** One value being edited in place: Enter or leaving saves, Escape puts the old value back. */
export default class extends Controller {
  static values = { cancel: String, multiline: Boolean }

  connect() {
    const input = this.element.querySelector('input[type=radio]:checked') ?? this.element.querySelector('[contenteditable=true], input:not([type=hidden], [hidden]), select, textarea')
    input?.focus()
    input?.select?.()
    this.initial = this.state
    this.ready = true
  }

  key(event) {
    if (event.key === 'Escape') {
      event.preventDefault()
      event.stopPropagation()
      this.cancel()
    } else if (event.key === 'Enter' && !event.shiftKey && (!this.multilineValue || event.metaKey || event.ctrlKey)) {
      event.preventDefault()
      this.save()
    }
  }

  leave(event) {
    if (!this.ready || this.element.dataset.uploading || this.element.contains(event.relatedTarget)) return
    setTimeout(() => this.element.isConnected && !this.element.contains(document.activeElement) && this.save(), 120)
  }

  save() {
    if (this.done) return
    if (this.element.dataset.uploading) return this.element.requestSubmit()
    if (this.state === this.initial && !this.element.dataset.failed) return this.cancel()
    this.done = true
    this.element.requestSubmit()
  }

  /** The server asked whether to go on and was told no: the old value comes back. */
  back() {
    this.done = false
    this.cancel()
  }

  cancel() {
    if (this.done) return
    this.done = true
    window.htmx.ajax('GET', this.cancelValue, { target: this.element, swap: 'outerHTML' })
  }

  get state() {
    return new URLSearchParams(new FormData(this.element)).toString()
  }
}
