import { Controller } from '@hotwired/stimulus'

/** Drops an answer about a value that has been typed over since it was asked for. data-fresh-field-value: its name. */
export default class extends Controller {
  static values = { field: String }

  asked = new WeakMap()

  connect() {
    this.element.addEventListener('htmx:config:request', this.#remember)
    this.element.addEventListener('htmx:before:swap', this.#check)
  }

  disconnect() {
    this.element.removeEventListener('htmx:config:request', this.#remember)
    this.element.removeEventListener('htmx:before:swap', this.#check)
  }

  #remember = ({ detail: { ctx } }) => this.asked.set(ctx, this.#typed)

  #check = (event) => {
    const { ctx } = event.detail
    if (this.asked.has(ctx) && this.asked.get(ctx) !== this.#typed) event.preventDefault()
  }

  get #typed() {
    return this.element.elements[this.fieldValue]?.value
  }
}
