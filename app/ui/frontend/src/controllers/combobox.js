import { Controller } from '@hotwired/stimulus'

/**
 * A text box that finds records (WAI-ARIA combobox with a listbox). The list is a fragment of the server; the chosen
 * option's id goes into a hidden input.
 */
export default class extends Controller {
  static targets = ['input', 'value', 'list']
  static values = { url: String }

  connect() {
    this.chosen = this.inputTarget.value
    this.onDocument = (event) => this.element.contains(event.target) || this.close()
    document.addEventListener('pointerdown', this.onDocument)
  }

  disconnect() {
    document.removeEventListener('pointerdown', this.onDocument)
  }

  type() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.find(), 150)
  }

  find() {
    const url = new URL(this.urlValue, location.href)
    url.searchParams.set('q', this.inputTarget.value)
    window.htmx.ajax('GET', url.pathname + url.search, { target: this.listTarget, swap: 'innerHTML' }).then(() => this.open())
  }

  open() {
    this.listTarget.hidden = false
    this.inputTarget.setAttribute('aria-expanded', 'true')
    this.mark(this.options[0])
  }

  close() {
    if (this.listTarget.hidden) return
    this.listTarget.hidden = true
    this.inputTarget.setAttribute('aria-expanded', 'false')
    this.inputTarget.removeAttribute('aria-activedescendant')
    if (!this.inputTarget.value) this.take('', '')
    else this.inputTarget.value = this.chosen
  }

  key(event) {
    if (event.key === 'Escape' && !this.listTarget.hidden) {
      event.preventDefault()
      event.stopPropagation()
      return this.close()
    }
    const { options } = this
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      if (this.listTarget.hidden) return this.find()
      this.mark(options[(options.indexOf(this.active) + step + options.length) % options.length])
    } else if (event.key === 'Enter' && !this.listTarget.hidden && this.active) {
      event.preventDefault()
      event.stopPropagation()
      this.choose({ currentTarget: this.active, preventDefault() {} })
    } else if (event.key === 'Tab') this.close()
  }

  choose(event) {
    const option = event.target?.closest?.('[role=option]') ?? event.currentTarget
    event.preventDefault()
    if (option.getAttribute('role') !== 'option') return
    this.take(option.dataset.value, option.dataset.label)
    this.close()
    this.inputTarget.focus()
  }

  take(value, label) {
    const before = this.valueTarget.value
    this.valueTarget.value = value
    this.inputTarget.value = this.chosen = label
    if (before !== value) this.valueTarget.dispatchEvent(new Event('change', { bubbles: true }))
  }

  mark(option) {
    for (const other of this.options) other.setAttribute('aria-selected', String(other === option))
    if (option) this.inputTarget.setAttribute('aria-activedescendant', option.id)
    option?.scrollIntoView({ block: 'nearest' })
  }

  get active() {
    return this.options.find((option) => option.getAttribute('aria-selected') === 'true')
  }

  get options() {
    return [...this.listTarget.querySelectorAll('[role=option]')]
  }
}
