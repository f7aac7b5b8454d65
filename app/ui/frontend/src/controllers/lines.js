import { Controller } from '@hotwired/stimulus'

const FIRST = 'input:not([type=hidden]), select'

/** Lines put in order by dragging or by their buttons, added from a blank one and taken away; a form sends them as they stand. */
export default class extends Controller {
  static targets = ['list', 'line', 'blank', 'live', 'save']

  async connect() {
    const { default: Sortable } = await import('sortablejs')
    if (!this.element.isConnected) return
    const animation = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 140
    const onEnd = ({ item }) => this.#moved(item)
    this.sortable = new Sortable(this.listTarget, { handle: '.grip', animation, onEnd, delay: 120, delayOnTouchOnly: true })
  }

  disconnect() {
    this.sortable?.destroy()
  }

  move(event) {
    const button = event.currentTarget
    const line = button.closest('[data-lines-target~=line]')
    const lines = this.lineTargets
    const to = lines.indexOf(line) + event.params.by
    if (to < 0 || to >= lines.length) return
    if (event.params.by < 0) lines[to].before(line)
    else lines[to].after(line)
    button.focus()
    line.scrollIntoView({ block: 'nearest' })
    this.#moved(line)
  }

  add() {
    this.#append().querySelector(FIRST)?.focus()
  }

  /** Whoever writes into the last line finds another one below. */
  grow(event) {
    if (event.currentTarget.value && this.lineTargets.at(-1).contains(event.currentTarget)) this.#append()
  }

  #append() {
    this.listTarget.append(this.blankTarget.content.cloneNode(true))
    const line = this.lineTargets.at(-1)
    window.htmx.process(line)
    return line
  }

  remove(event) {
    const line = event.currentTarget.closest('[data-lines-target~=line]')
    const near = line.nextElementSibling ?? line.previousElementSibling
    this.liveTarget.textContent = `${nameOf(line)} removed`
    line.remove()
    if (near) near.querySelector(FIRST)?.focus()
    else this.add()
  }

  #moved(line) {
    if (this.hasSaveTarget) this.saveTarget.hidden = false
    this.liveTarget.textContent = `${nameOf(line)}, ${this.lineTargets.indexOf(line) + 1} of ${this.lineTargets.length}`
  }
}

function nameOf(line) {
  const named = line.querySelector('[data-lines-name]')
  return (named?.value ?? named?.textContent ?? '').trim() || 'Line'
}
