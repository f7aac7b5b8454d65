import { Controller } from '@hotwired/stimulus'

/** A button that opens the composer's tab of its kind, ready to type. */
export default class extends Controller {
  static values = { kind: String }

  open() {
    document.getElementById(`tab-${this.kindValue}`)?.click()
    const panel = document.getElementById(`panel-${this.kindValue}`)
    panel?.scrollIntoView({ block: 'nearest' })
    panel?.querySelector('textarea, input:not([type=hidden])')?.focus()
  }
}
