import { Controller } from '@hotwired/stimulus'
import { place } from '../popups.js'

/**
 * A text box that finds records, members, teams (WAI-ARIA combobox with a listbox). The list is a fragment of the
 * server, in the top layer, so that no dialog cuts it off; the chosen option's value goes into a hidden input.
 */
export default class extends Controller {
  static targets = ['input', 'value', 'list']
  static values = { url: String, eager: Boolean }

  connect() {
    this.chosen = this.inputTarget.value
    this.asked = 0
    this.onDocument = (event) => this.element.contains(event.target) || this.close()
    this.onScroll = (event) => event.target !== this.listTarget && this.isOpen && this.stand()
    document.addEventListener('pointerdown', this.onDocument)
    document.addEventListener('scroll', this.onScroll, true)
  }

  disconnect() {
    clearTimeout(this.timer)
    document.removeEventListener('pointerdown', this.onDocument)
    document.removeEventListener('scroll', this.onScroll, true)
  }

  type() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.find(), 150)
  }

  /** Where it is all there is (a value edited in place), being there is asking. */
  greet() {
    if (this.eagerValue && !this.isOpen) this.find()
  }

  /** A click opens it; what is chosen is marked, so that typing replaces it. */
  press() {
    this.inputTarget.select()
    if (!this.isOpen) this.find()
  }

  /** What stands there as chosen is no search: all are shown until something is typed. */
  async find() {
    const asked = ++this.asked
    const words = this.inputTarget.value === this.chosen ? '' : this.inputTarget.value
    const url = new URL(this.urlValue, location.href)
    url.searchParams.set('q', words)
    await window.htmx.ajax('GET', url.pathname + url.search, { target: this.listTarget, swap: 'innerHTML' })
    if (asked === this.asked && this.element.contains(document.activeElement)) this.open()
  }

  open() {
    this.listTarget.hidden = false
    this.listTarget.showPopover()
    this.stand()
    this.inputTarget.setAttribute('aria-expanded', 'true')
    this.mark(this.options.find((option) => option.dataset.value === this.valueTarget.value) ?? this.options[0])
  }

  stand() {
    this.listTarget.style.width = `${this.inputTarget.parentElement.getBoundingClientRect().width}px`
    place(this.listTarget, this.inputTarget.parentElement)
  }

  close() {
    this.asked += 1
    clearTimeout(this.timer)
    if (!this.inputTarget.value) this.take('', '')
    else this.inputTarget.value = this.chosen
    if (!this.isOpen) return
    this.listTarget.hidePopover()
    this.listTarget.hidden = true
    this.inputTarget.setAttribute('aria-expanded', 'false')
    this.inputTarget.removeAttribute('aria-activedescendant')
  }

  key(event) {
    if (event.key === 'Escape' && this.isOpen) {
      event.preventDefault()
      event.stopPropagation()
      return this.close()
    }
    const { options } = this
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      if (!this.isOpen) return this.find()
      this.mark(options[(options.indexOf(this.active) + step + options.length) % options.length])
    } else if (event.key === 'Enter' && this.isOpen && this.active) {
      event.preventDefault()
      event.stopPropagation()
      this.choose({ currentTarget: this.active, preventDefault() {} })
    } else if (event.key === 'Tab') this.close()
  }

  choose(event) {
    const option = event.target?.closest?.('[role=option]') ?? event.currentTarget
    event.preventDefault()
    if (option.getAttribute('role') !== 'option' || option.ariaDisabled) return
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
    else this.inputTarget.removeAttribute('aria-activedescendant')
    option?.scrollIntoView({ block: 'nearest' })
  }

  get isOpen() {
    return this.listTarget.matches(':popover-open')
  }

  get active() {
    return this.options.find((option) => option.getAttribute('aria-selected') === 'true')
  }

  get options() {
    return [...this.listTarget.querySelectorAll('[role=option]:not([aria-disabled])')]
  }
}
