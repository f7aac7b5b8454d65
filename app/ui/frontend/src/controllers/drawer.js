import { Controller } from '@hotwired/stimulus'

/** The left rail as a drawer on small screens. */
export default class extends Controller {
  static targets = ['panel', 'veil', 'button']

  open() {
    this.set(true)
    this.panelTarget.querySelector('a, button')?.focus()
  }

  close(event) {
    if (event?.type === 'keydown' && event.key !== 'Escape') return
    if (!this.isOpen) return
    this.set(false)
    this.buttonTarget.focus()
  }

  set(open) {
    this.isOpen = open
    this.panelTarget.dataset.open = String(open)
    this.veilTarget.hidden = !open
    this.buttonTarget.setAttribute('aria-expanded', String(open))
  }
}
