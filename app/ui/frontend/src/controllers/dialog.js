import { Controller } from '@hotwired/stimulus'

/** A modal <dialog>. One that arrives from the server opens itself (data-dialog-open-value) and goes when closed. */
export default class extends Controller {
  static values = { open: Boolean, transient: Boolean }

  connect() {
    this.opener = document.activeElement
    if (!this.openValue) return
    if (!this.element.open) this.element.showModal()
    const wanted = this.element.querySelector('[aria-invalid=true]') ?? this.element.querySelector('[data-autofocus]') ?? this.element.querySelector('form :is(input:not([type=hidden], [hidden]), select, textarea, [contenteditable=true])')
    wanted?.focus()
    this.onClose = () => {
      if (this.transientValue) this.element.remove()
      if (this.opener?.isConnected) this.opener.focus()
    }
    this.element.addEventListener('close', this.onClose)
  }

  disconnect() {
    this.element.removeEventListener('close', this.onClose)
  }

  close(event) {
    event?.preventDefault()
    this.element.close()
  }

  backdrop(event) {
    if (event.target === this.element) this.element.close()
  }
}
