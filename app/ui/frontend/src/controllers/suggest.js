import { Controller } from '@hotwired/stimulus'

/** Suggests an address from a name until the address is written by hand. */
export default class extends Controller {
  static targets = ['name', 'slug']

  suggest() {
    if (this.edited) return
    const plain = this.nameTarget.value.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
    this.slugTarget.value = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40)
  }

  edit() {
    this.edited = this.slugTarget.value !== ''
  }
}
