import { Controller } from '@hotwired/stimulus'

/** Shows what is typed into a password field, and hides it again before the form is sent. */
export default class extends Controller {
  static targets = ['input', 'button']

  connect() {
    this.buttonTarget.hidden = false
    this.hide = () => this.show(false)
    this.inputTarget.form?.addEventListener('submit', this.hide)
  }

  disconnect() {
    this.inputTarget.form?.removeEventListener('submit', this.hide)
  }

  toggle() {
    this.show(this.inputTarget.type === 'password')
    this.inputTarget.focus()
  }

  show(visible) {
    this.inputTarget.type = visible ? 'text' : 'password'
    this.buttonTarget.setAttribute('aria-pressed', String(visible))
  }
}
