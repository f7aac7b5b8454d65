import { Controller } from '@hotwired/stimulus'

/** Tells the server the browser's time zone in a hidden field. */
export default class extends Controller {
  connect() {
    this.element.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? ''
  }
}
