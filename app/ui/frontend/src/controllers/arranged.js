import { Controller } from '@hotwired/stimulus'

/** Beside an answer: which parts of the record's page show now. Where that differs, the page is arranged anew. */
export default class extends Controller {
  static values = { shape: String }

  async connect() {
    const page = document.getElementById('arranged')
    this.element.remove()
    if (!page || page.dataset.shape === this.shapeValue) return
    await new Promise((settled) => setTimeout(settled))
    const held = page.contains(document.activeElement) ? document.activeElement.closest('[id]')?.id : ''
    await window.htmx.ajax('GET', `${location.pathname}${location.search}`, { target: '#arranged', select: '#arranged', swap: 'outerHTML' })
    if (held) document.getElementById(held)?.querySelector('button')?.focus()
  }
}
