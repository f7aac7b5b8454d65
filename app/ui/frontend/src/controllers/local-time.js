import { Controller } from '@hotwired/stimulus'

/** Says a moment in the browser's own time zone, where the server does not know the reader's. */
export default class extends Controller {
  connect() {
    const parts = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }
    this.element.textContent = new Intl.DateTimeFormat(undefined, parts).format(new Date(this.element.dateTime))
  }
}
