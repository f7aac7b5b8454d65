import { Controller } from '@hotwired/stimulus'

const TYPING = 'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=menu]'
const WAIT = 1200

/**
 * Keys of the whole page. A control says its own in aria-keyshortcuts, the rail's lines theirs in data-go (after g).
 * Single letters can be switched off in the profile; none works while somebody types or a dialog is open.
 */
export default class extends Controller {
  static values = { single: Boolean }

  press(event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey) return
    if (event.target.closest?.(TYPING) || document.querySelector('dialog[open]')) return
    if (event.altKey) return this.act(event, `Alt+${event.key}`)
    if (!this.singleValue || event.key.length !== 1) return
    const going = Date.now() - (this.leader ?? 0) < WAIT
    this.leader = !going && event.key === 'g' ? Date.now() : 0
    if (going) return this.follow(event, document.querySelector(`[data-go="${CSS.escape(event.key)}"]`))
    if (event.key === 'j' || event.key === 'k') if (this.walk(event)) return
    if (event.key === 'x') return this.tick(event)
    this.act(event, event.key)
  }

  act(event, name) {
    this.follow(event, document.querySelector(`[aria-keyshortcuts~="${CSS.escape(name)}"]`))
  }

  follow(event, control) {
    if (!control || control.disabled) return
    event.preventDefault()
    control.click()
  }

  /** j and k among the rows of a list; the focus stands on the row's link, so that Enter opens it. */
  walk(event) {
    const rows = [...document.querySelectorAll('#list tbody th a')]
    if (!rows.length) return false
    const at = rows.indexOf(document.activeElement?.closest('tr')?.querySelector('th a'))
    const next = event.key === 'j' ? at + 1 : Math.max(at - 1, 0)
    event.preventDefault()
    rows[Math.min(next, rows.length - 1)].focus()
    return true
  }

  tick(event) {
    const box = document.activeElement?.closest('#list tbody tr')?.querySelector('.row-check')
    if (!box) return
    event.preventDefault()
    const link = document.activeElement
    box.click()
    link.focus()
  }
}
