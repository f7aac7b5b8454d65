import { Controller } from '@hotwired/stimulus'
import { place, walk } from '../popups.js'

/** A button with a pop-up list (a disclosure of links and buttons): arrows move, Escape closes, popover keeps it on top. */
export default class extends Controller {
  static targets = ['button', 'list']

  connect() {
    this.onToggle = (event) => {
      const open = event.newState === 'open'
      this.buttonTarget.setAttribute('aria-expanded', String(open))
      if (open) place(this.listTarget, this.buttonTarget)
    }
    this.listTarget.addEventListener('toggle', this.onToggle)
  }

  disconnect() {
    this.listTarget.removeEventListener('toggle', this.onToggle)
  }

  toggle(event) {
    event.preventDefault()
    event.stopPropagation()
    this.listTarget.togglePopover()
    if (this.isOpen && event.detail === 0) this.items[0]?.focus()
  }

  key(event) {
    if (event.target === this.buttonTarget && event.key === 'ArrowDown' && !event.altKey) {
      event.preventDefault()
      if (!this.isOpen) this.listTarget.showPopover()
      return this.items[0]?.focus()
    }
    if (!this.isOpen || walk(event, this.items)) return
    if (event.key !== 'Escape' && event.key !== 'Tab') return
    this.listTarget.hidePopover()
    if (event.key === 'Tab') return
    event.preventDefault()
    event.stopPropagation()
    this.buttonTarget.focus()
  }

  choose() {
    this.listTarget.hidePopover()
  }

  get isOpen() {
    return this.listTarget.matches(':popover-open')
  }

  get items() {
    return [...this.listTarget.querySelectorAll('.menu-item:not([aria-disabled=true])')]
  }
}
