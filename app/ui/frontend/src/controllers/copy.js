import { Controller } from '@hotwired/stimulus'
import { say } from '../toasts.js'

/** Copies the text of its source: a key that is shown once, an invitation's link. */
export default class extends Controller {
  static targets = ['source']

  async copy() {
    const text = this.sourceTarget.value ?? this.sourceTarget.textContent.trim()
    await navigator.clipboard.writeText(text)
    say('Copied')
  }
}
