import { Controller } from '@hotwired/stimulus'
import { say } from '../toasts.js'

/**
 * Fields written or pasted a line each: the server reads them, here they take their places among the rows. What it
 * can't read comes back in the box; a box that is closed keeps what is in it and sends nothing.
 */
export default class extends Controller {
  static targets = ['opener', 'panel', 'text', 'send', 'list', 'added']

  /** The box, as the page begins with it or as it came back. */
  panelTargetConnected(panel) {
    this.openerTarget.setAttribute('aria-expanded', String(!panel.hidden))
    if (!panel.dataset.told) return
    const lines = [...(panel.querySelector('[data-several-target=added]')?.content.children ?? [])]
    if (lines.length) this.#place(lines)
    say(panel.dataset.told)
    if (panel.hidden) lines[0].querySelector('input').focus()
    else this.#focus()
  }

  toggle() {
    if (this.panelTarget.hidden) this.#open()
    else this.close()
  }

  close() {
    this.#show(false)
    this.openerTarget.focus()
  }

  send(event) {
    event.preventDefault()
    this.sendTarget.click()
  }

  /** Several lines pasted into one row are several rows. */
  paste(event) {
    const text = event.clipboardData.getData('text/plain').replace(/\s+$/, '')
    if (!/[\n\t]/.test(text)) return
    event.preventDefault()
    this.#open()
    this.textTarget.value = [this.textTarget.value, text].filter(Boolean).join('\n')
    this.sendTarget.click()
  }

  #open() {
    this.#show(true)
    this.#focus()
  }

  #focus() {
    this.textTarget.focus()
    this.panelTarget.scrollIntoView({ block: 'nearest' })
  }

  #show(open) {
    this.panelTarget.hidden = this.textTarget.disabled = !open
    this.openerTarget.setAttribute('aria-expanded', String(open))
  }

  /** Behind the rows that are filled in; one empty row ends them. */
  #place(lines) {
    const list = this.listTarget
    let last = null
    while (list.lastElementChild && isBlank(list.lastElementChild)) {
      last = list.lastElementChild
      last.remove()
    }
    list.append(...lines, ...(last ? [last] : []))
  }
}

function isBlank(line) {
  return [...line.querySelectorAll('input')].every(({ value }) => !value)
}
