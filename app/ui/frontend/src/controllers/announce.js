import { Controller } from '@hotwired/stimulus'

/** The server's way to say "this changed": parts of the page listen for the name; "reload" means the whole page. */
export default class extends Controller {
  static values = { name: String }

  connect() {
    if (this.nameValue === 'reload') return location.reload()
    document.body.dispatchEvent(new CustomEvent(this.nameValue))
    this.element.remove()
  }
}
