import { Controller } from '@hotwired/stimulus'

/** A form that sends itself shortly after typing; an empty field leaves the address clean. */
export default class extends Controller {
  static values = { delay: { type: Number, default: 250 } }

  type() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.element.requestSubmit(), this.delayValue)
  }

  clear(event) {
    const field = this.element.elements[event.params.field]
    field.value = ''
    this.element.requestSubmit()
    field.focus()
  }
}
