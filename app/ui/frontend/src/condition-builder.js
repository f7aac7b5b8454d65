import { fillFields, focusAt, groupOf, showState } from './condition-rows.js'
import { headers } from './toasts.js'

export const PAUSE = 250

/** The rows of one condition: made by the server, kept as they are chosen, made anew when their shape changes. */
export class Builder {
  /** `kept(model)` hears of every change, `told(state, aloud)` what the server says of it. */
  constructor(place, { url, key, values, kept, told }) {
    Object.assign(this, { place, url, key, values, kept, told, tried: '', typedAt: 0, shaped: false })
    this.place.addEventListener('change', this.#found)
    this.place.addEventListener('keydown', this.#typing)
  }

  stop() {
    clearTimeout(this.timer)
    clearTimeout(this.shaping)
    this.asking?.abort()
    this.place.removeEventListener('change', this.#found)
    this.place.removeEventListener('keydown', this.#typing)
  }

  /** The rows as they stand. */
  model() {
    const root = this.place.querySelector('[data-cond=group]')
    return root ? groupOf(root) : { join: 'all', items: [] }
  }

  /** A value: the text follows, the rows stay as they are, and what is wrong with it may be said. */
  changed(control) {
    if (this.busy && control?.dataset.key === 'text') this.late = [control.closest('[data-cond]').dataset.path, control.value]
    this.begun = null
    this.kept(this.model())
    this.later(() => this.#tell())
  }

  later(act) {
    clearTimeout(this.timer)
    this.timer = setTimeout(act, PAUSE)
  }

  /** Another field or operator: other controls. Whoever chooses by typing is let finish. */
  reshape(control) {
    const line = control.closest('[data-cond]')
    line.dataset.fresh = control.dataset.key
    this.kept(this.model())
    this.place.setAttribute('aria-busy', 'true')
    clearTimeout(this.shaping)
    const typing = Date.now() - this.typedAt < PAUSE
    this.reshaped = () => this.again(line.dataset.path, control.dataset.key)
    this.shaping = setTimeout(this.reshaped, typing ? 2 * PAUSE : 0)
  }

  /** The rows of `model`, with the focus where it was, or at the control `key` of the item at `path`. */
  again(path, key, model = this.model()) {
    this.reshaped = null
    this.begun = path
    this.underway = this.#again(path, key, model)
    return this.underway
  }

  async #again(path, key, model) {
    this.kept(model)
    clearTimeout(this.timer)
    clearTimeout(this.shaping)
    const active = document.activeElement
    const chooses = this.place.contains(active) && active.dataset.key
    const there = chooses ? [active.closest('[data-cond]').dataset.path, active.dataset.key] : [path, key]
    this.late = null
    this.busy = true
    const done = await this.render({ rows: JSON.stringify(model) })
    this.busy = false
    this.place.removeAttribute('aria-busy')
    if (!done) return
    this.#catchUp()
    this.kept(this.model())
    focusAt(this.place, ...there)
  }

  /** The rows made of a model or a text; false where the text is no condition. */
  async render(said) {
    const values = { ...said, ...this.values, key: this.key, try: this.tried }
    await window.htmx.ajax('POST', this.url, { source: this.place, target: this.place, swap: 'innerHTML', values })
    const found = this.place.querySelector('[data-condition-state]')
    if (!found) return false
    this.shaped = !!found.dataset.conditionModel
    if (this.shaped) fillFields(found)
    this.#show(JSON.parse(found.dataset.conditionState), false)
    return this.shaped
  }

  /** What the server says of a model or a text. */
  async state(said) {
    this.asking?.abort()
    this.asking = new AbortController()
    const { signal } = this.asking
    const body = new URLSearchParams({ ...said, part: 'state', try: this.tried })
    const answer = await fetch(this.url, { method: 'POST', headers: headers(), body, signal }).catch(() => null)
    return answer?.ok ? answer.json().catch(() => null) : null
  }

  /** What the server says of the rows as they stand, shown at them. */
  async settled() {
    await (this.reshaped?.() ?? this.underway)
    clearTimeout(this.timer)
    const state = await this.state({ rows: JSON.stringify(this.model()) })
    this.begun = null
    if (state) this.#show(state, true)
    return state
  }

  async #tell() {
    const state = await this.state({ rows: JSON.stringify(this.model()) })
    if (state) this.#show(state, true)
  }

  #show(state, aloud) {
    const wrong = showState(this.place, state, this.key, this.begun)
    this.told(state, aloud && wrong)
  }

  /** What was typed while the rows were made anew. */
  #catchUp() {
    if (!this.late) return
    const [path, value] = this.late
    const control = this.place.querySelector(`[data-path="${path}"] input[data-key=text]`)
    if (control) control.value = value
    this.changed()
  }

  /** A record was found: to compare with, or to try with. */
  #found = ({ target }) => {
    if (target.type !== 'hidden') return
    if (target.closest('[data-condition-found]')) this.changed()
    if (!target.closest('[data-condition-try]')) return
    this.tried = target.value
    clearTimeout(this.timer)
    this.#tell()
  }

  #typing = () => {
    this.typedAt = Date.now()
  }
}
