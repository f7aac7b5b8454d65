import { Controller } from '@hotwired/stimulus'

/** Row check boxes with one for all, shift for a range, and the bar that appears while something is chosen. */
export default class extends Controller {
  static targets = ['all', 'row', 'bar', 'count']

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

  refresh() {
    const chosen = this.rowTargets.filter((row) => row.checked).length
    if (this.hasBarTarget) this.barTarget.hidden = chosen === 0
    if (this.hasCountTarget) this.countTarget.textContent = chosen
    if (!this.hasAllTarget) return
    this.allTarget.checked = chosen > 0 && chosen === this.rowTargets.length
    this.allTarget.indeterminate = chosen > 0 && chosen < this.rowTargets.length
  }
}
