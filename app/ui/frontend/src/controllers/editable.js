import { Controller } from '@hotwired/stimulus'

/** A shown value that F2 opens like a click does (Enter and Space are the button's own). */
export default class extends Controller {
  key(event) {
    if (event.key !== 'F2') return
    event.preventDefault()
    this.element.click()
  }
}
