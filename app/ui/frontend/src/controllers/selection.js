import { Controller } from '@hotwired/stimulus'

/**
 * Row check boxes with one for all, shift for a range, and the bar that appears while something is chosen. A row names
 * what may be done with it (data-may), a button of the bar what it does (data-act): it says how many it will do that
 * to, and sends only those.
 */
export default class extends Controller {
  static targets = ['all', 'row', 'bar', 'count', 'act']

  connect() {
    this.refresh()
  }

  rowTargetConnected() {
    this.refresh()
  }

  toggleAll() {
    for (const row of this.rowTargets) row.checked = this.allTarget.checked
    this.refresh()
  }

  toggle(event) {
    const rows = this.rowTargets
    const at = rows.indexOf(event.currentTarget)
    if (event.shiftKey && this.last !== undefined)
      for (const row of rows.slice(Math.min(at, this.last), Math.max(at, this.last) + 1)) row.checked = event.currentTarget.checked
    this.last = at
    this.refresh()
  }

  clear() {
    for (const row of this.rowTargets) row.checked = false
    this.refresh()
  }

  /** Before a button's request goes: only the rows it may act on, and how many are left out. */
  only(event) {
    const { body } = event.detail.ctx.request
    const { act } = event.currentTarget.dataset
    const open = this.open(act)
    body.delete('ids')
    for (const row of open) body.append('ids', row.value)
    body.set('left', this.chosen.length - open.length)
  }

  open(act) {
    return this.chosen.filter((row) => row.dataset.may.split(' ').includes(act))
  }

  get chosen() {
    return this.rowTargets.filter((row) => row.checked)
  }

  refresh() {
    const chosen = this.chosen.length
    if (this.hasBarTarget) this.barTarget.hidden = chosen === 0
    if (this.hasCountTarget) this.countTarget.textContent = chosen
    for (const button of this.actTargets) {
      const open = this.open(button.dataset.act).length
      button.disabled = open === 0
      button.title = open === 0 ? 'You may only see what is chosen' : ''
      button.querySelector('[data-slot=part]').textContent = open && open < chosen ? ` ${open} of ${chosen}` : ''
    }
    if (!this.hasAllTarget) return
    this.allTarget.checked = chosen > 0 && chosen === this.rowTargets.length
    this.allTarget.indeterminate = chosen > 0 && chosen < this.rowTargets.length
  }
}
