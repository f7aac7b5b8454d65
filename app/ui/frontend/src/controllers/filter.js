import { Controller } from '@hotwired/stimulus'

const PAUSE = 250

/**
 * What narrows a list: quick words, sent shortly after typing, and conditions, chosen in a panel and sent together.
 * What is in force stands in hidden fields of the form, which every answer brings anew.
 */
export default class extends Controller {
  static targets = ['form', 'panel', 'blank', 'opener', 'held']
  static outlets = ['condition']

  disconnect() {
    clearTimeout(this.timer)
  }

  type() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.formTarget.requestSubmit(), PAUSE)
  }

  /** What nobody filled in leaves the address clean. */
  tidy({ formData }) {
    for (const [name, value] of [...formData]) if (!value) formData.delete(name)
  }

  toggle() {
    if (this.panelTarget.hidden) this.open()
    else this.close()
  }

  open() {
    if (!this.panelTarget.hidden) return this.enter()
    const panel = this.blankTarget.content.cloneNode(true)
    panel.querySelector('textarea').value = this.formTarget.elements.namedItem('filter')?.value ?? ''
    this.panelTarget.replaceChildren(panel)
    this.#show(true)
  }

  /** To the first thing to choose or to write. */
  enter() {
    this.panelTarget.querySelector(':is(.cond-line select, .cond-line input, textarea):not([hidden] *)')?.focus()
  }

  close(event) {
    if (event?.defaultPrevented && event.type === 'keydown') return
    this.#show(false)
    this.openerTarget.focus()
  }

  async apply(event) {
    event.preventDefault()
    const text = await this.conditionOutlet.settle()
    if (text === null) return
    this.#ask(text)
    this.close()
  }

  #ask(text) {
    let held = this.formTarget.elements.namedItem('filter')
    if (!held) {
      held = Object.assign(document.createElement('input'), { type: 'hidden', name: 'filter' })
      held.setAttribute('form', this.formTarget.id)
      this.heldTarget.append(held)
    }
    held.value = text
    this.formTarget.requestSubmit()
  }

  #show(yes) {
    this.panelTarget.hidden = !yes
    if (!yes) this.panelTarget.replaceChildren()
    this.openerTarget.setAttribute('aria-expanded', String(yes))
  }

}
