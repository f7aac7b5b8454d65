import { Controller } from '@hotwired/stimulus'

/**
 * Drops an answer about a value that has been typed over since it was asked for, and selects what an answer puts into
 * the field that is about to be typed in, so that typing replaces it. data-fresh-field-value: its name.
 */
export default class extends Controller {
  static values = { field: String }

  asked = new WeakMap()

  connect() {
    this.element.addEventListener('htmx:config:request', this.#remember)
    this.element.addEventListener('htmx:before:swap', this.#check)
    this.element.addEventListener('htmx:after:swap', this.#select)
  }

  disconnect() {
    this.element.removeEventListener('htmx:config:request', this.#remember)
    this.element.removeEventListener('htmx:before:swap', this.#check)
    this.element.removeEventListener('htmx:after:swap', this.#select)
  }

  #remember = ({ detail: { ctx } }) => this.asked.set(ctx, this.#typed)

  #check = (event) => {
    const { ctx } = event.detail
    if (this.asked.has(ctx) && this.asked.get(ctx) !== this.#typed) event.preventDefault()
    this.before = this.#typed
  }

  #select = () => {
    if (this.#field === document.activeElement && this.#typed !== this.before) this.#field.select()
  }

  get #field() {
    return this.element.elements[this.fieldValue]
  }

  get #typed() {
    return this.#field?.value
  }
}
