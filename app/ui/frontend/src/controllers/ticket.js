import { Controller } from '@hotwired/stimulus'

/** Takes the ticket out of the address, whose fragment no server sees, into its field, and out of the history. */
export default class extends Controller {
  connect() {
    const ticket = location.hash.slice(1)
    if (!ticket) return
    this.element.value = ticket
    history.replaceState(null, '', location.pathname + location.search)
  }
}
