import { Controller } from '@hotwired/stimulus'

/** Sends the form on the way in: the single-use ticket that enters a workspace. */
export default class extends Controller {
  connect() {
    this.element.requestSubmit()
  }
}
