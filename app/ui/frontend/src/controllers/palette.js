import { Controller } from '@hotwired/stimulus'

/** ⌘K: search, go to, do. The list is a fragment; arrows move, Enter goes, Escape closes. */
export default class extends Controller {
  static targets = ['dialog', 'input', 'list']

  shortcut(event) {
    if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === 'k') this.open(event)
  }

  open(event) {
    event.preventDefault()
    if (this.dialogTarget.open) return this.dialogTarget.close()
    this.opener = document.activeElement
    this.dialogTarget.showModal()
    this.inputTarget.value = ''
    this.inputTarget.focus()
    this.find()
  }

  type() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.find(), 150)
  }

  find() {
    const query = new URLSearchParams({ q: this.inputTarget.value })
    window.htmx.ajax('GET', `/search?${query}`, { target: this.listTarget, swap: 'innerHTML' }).then(() => this.mark(this.options[0]))
  }

  key(event) {
    const { options } = this
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step && options.length) {
      event.preventDefault()
      this.mark(options[(options.indexOf(this.active) + step + options.length) % options.length])
    } else if (event.key === 'Enter' && this.active) {
      event.preventDefault()
      this.active.click()
    }
  }

  go(event) {
    if (event.target.closest('[data-closes]')) this.dialogTarget.close()
  }

  backdrop(event) {
    if (event.target === this.dialogTarget) this.dialogTarget.close()
  }

  mark(option) {
    for (const other of this.options) other.setAttribute('aria-selected', String(other === option))
    if (option) this.inputTarget.setAttribute('aria-activedescendant', option.id)
    else this.inputTarget.removeAttribute('aria-activedescendant')
    option?.scrollIntoView({ block: 'nearest' })
  }

  get active() {
    return this.options.find((option) => option.getAttribute('aria-selected') === 'true')
  }

  get options() {
    return [...this.listTarget.querySelectorAll('[role=option]:not([aria-disabled])')]
  }
}
