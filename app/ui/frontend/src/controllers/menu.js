import { Controller } from '@hotwired/stimulus'

/** A button with a pop-up list (a disclosure of links and buttons): arrows move, Escape closes, popover keeps it above everything. */
export default class extends Controller {
  static targets = ['button', 'list']

  connect() {
    this.onToggle = (event) => {
      const open = event.newState === 'open'
      this.buttonTarget.setAttribute('aria-expanded', String(open))
      if (open) this.place()
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
    if (!this.isOpen) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      const { items } = this
      items.at((items.indexOf(document.activeElement) + step + items.length) % items.length)?.focus()
    }
    if (event.key === 'Escape' || event.key === 'Tab') {
      this.listTarget.hidePopover()
      if (event.key === 'Escape') {
        event.preventDefault()
        event.stopPropagation()
        this.buttonTarget.focus()
      }
    }
  }

  choose() {
    this.listTarget.hidePopover()
  }

  /** Below the button, or above it where there is no room; kept inside the window. */
  place() {
    const anchor = this.buttonTarget.getBoundingClientRect()
    const { style } = this.listTarget
    const { width, height } = this.listTarget.getBoundingClientRect()
    const below = anchor.bottom + 4
    const top = below + height > innerHeight - 8 ? Math.max(8, anchor.top - height - 4) : below
    const rightToLeft = getComputedStyle(this.element).direction === 'rtl'
    const end = this.listTarget.dataset.align === 'end'
    const wanted = end === rightToLeft ? anchor.left : anchor.right - width
    style.top = `${top}px`
    style.left = `${Math.min(Math.max(8, wanted), innerWidth - width - 8)}px`
  }

  get isOpen() {
    return this.listTarget.matches(':popover-open')
  }

  get items() {
    return [...this.listTarget.querySelectorAll('.menu-item:not([aria-disabled=true])')]
  }
}
