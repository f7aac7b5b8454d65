import { Controller } from '@hotwired/stimulus'

/** A button that opens the dialog named in data-opener-dialog-value. */
export default class extends Controller {
  static values = { dialog: String }

  open(event) {
    event.preventDefault()
    const dialog = document.getElementById(this.dialogValue)
    dialog.showModal()
    dialog.addEventListener('close', () => this.element.focus(), { once: true })
  }
}
