import { Controller } from '@hotwired/stimulus'

/** The box on a record: the chosen kind's fields are shown, ⌘Enter sends. */
export default class extends Controller {
  send(event) {
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
      event.preventDefault()
      event.target.closest('form').requestSubmit()
    }
  }

  sent(event) {
    if (event.detail?.ctx?.response?.status < 400) event.target.closest('form')?.reset()
  }
}
