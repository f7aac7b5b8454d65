import { Controller } from '@hotwired/stimulus'

/** A file input one can drop onto; says which file was taken. */
export default class extends Controller {
  static targets = ['input', 'name']

  over(event) {
    event.preventDefault()
    this.element.dataset.over = 'true'
  }

  out() {
    this.element.dataset.over = 'false'
  }

  drop(event) {
    event.preventDefault()
    this.out()
    this.inputTarget.files = event.dataTransfer.files
    this.inputTarget.dispatchEvent(new Event('change', { bubbles: true }))
  }

  chosen() {
    const [file] = this.inputTarget.files
    if (file) this.nameTarget.textContent = `${file.name} · ${Math.ceil(file.size / 1024).toLocaleString()} kB`
  }
}
