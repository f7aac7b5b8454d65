import { Controller } from '@hotwired/stimulus'

/** A list whose lines are put in order by buttons; the order is that of the fields the form sends. */
export default class extends Controller {
  static targets = ['line', 'live']
  static values = { most: Number }

  connect() {
    this.count()
  }

  move(event) {
    const button = event.currentTarget
    const line = button.closest('li')
    const lines = this.lineTargets
    const to = lines.indexOf(line) + event.params.by
    if (to < 0 || to >= lines.length) return
    if (event.params.by < 0) lines[to].before(line)
    else lines[to].after(line)
    button.focus()
    line.scrollIntoView({ block: 'nearest' })
    this.liveTarget.textContent = `${line.textContent.trim()}, ${to + 1} of ${lines.length}`
  }

  /** At the limit no further line can be ticked. */
  count() {
    const boxes = [...this.element.querySelectorAll('[type=checkbox]')]
    const full = boxes.filter((box) => box.checked).length >= this.mostValue
    for (const box of boxes) box.disabled = full && !box.checked
  }
}
