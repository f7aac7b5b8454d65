import { Controller } from '@hotwired/stimulus'
import { Builder } from '../condition-builder.js'
import { added, removed, showProblem } from '../condition-rows.js'
import { say } from '../toasts.js'

let number = 0

/**
 * A condition as rows and as text. The server makes rows of the text and text of the rows; this keeps what was chosen.
 * Until somebody changes a row the form sends the text as it came; then it sends the rows, whatever is still on its way.
 */
export default class extends Controller {
  static targets = ['rows', 'builder', 'written', 'text', 'switch', 'switchText', 'problem', 'note', 'said']
  static values = { url: String, label: String, empty: String, trying: Boolean, eager: Boolean }

  connect() {
    this.builder = new Builder(this.builderTarget, {
      url: this.urlValue,
      key: `cond${++number}`,
      values: { empty: this.emptyValue, trying: this.tryingValue, label: this.labelValue },
      kept: (model) => { this.rowsTarget.value = JSON.stringify(model) },
      told: (state, wrong) => this.#told(state, wrong),
    })
    this.details = this.element.closest('details')
    if (this.details && !this.details.open) this.details.addEventListener('toggle', this.#start, { once: true })
    else this.#start()
  }

  disconnect() {
    this.builder.stop()
    this.details?.removeEventListener('toggle', this.#start)
  }

  /** Rows where the text is such, else the text with what is wrong. */
  #start = async () => {
    if (this.builder.shaped) return
    const sent = this.rowsTarget.value
    this.#show(await this.builder.render(sent ? { rows: sent } : { text: this.textTarget.value }))
    if (this.eagerValue) await this.#begin()
  }

  /** Ready to be filled in: a first row where there is none. */
  async #begin() {
    const model = this.builder.model()
    if (this.builder.shaped && !model.items.length) {
      added(model, '', false)
      await this.builder.render({ rows: JSON.stringify(model) })
    }
    this.dispatch('ready')
  }

  async switch() {
    if (this.builderTarget.hidden) {
      if (!(await this.builder.render({ text: this.textTarget.value }))) return
      this.#show(true)
      return this.builderTarget.querySelector('[data-cond] :is(select, button):not([hidden] *)')?.focus()
    }
    const state = await this.builder.state({ rows: JSON.stringify(this.builder.model()) })
    if (typeof state?.text !== 'string') return this.#say('Complete the conditions first.')
    this.textTarget.value = state.text
    this.rowsTarget.value = ''
    this.#show(false)
    this.textTarget.focus()
  }

  /** The text of what is chosen, "" for none; null where that is no condition, which is said. */
  async settle() {
    const rows = !this.builderTarget.hidden && this.rowsTarget.value
    const state = rows ? await this.builder.settled() : await this.builder.state({ text: this.textTarget.value })
    if (!state) say('That did not work. Try again in a moment.', 'alert')
    else if (state.problem) this.#problem(state.problem)
    else if (!rows) return this.textTarget.value.trim()
    return state?.text ?? null
  }

  /** What is typed as text. */
  typed() {
    this.rowsTarget.value = ''
    this.builder.later(async () => {
      const state = await this.builder.state({ text: this.textTarget.value })
      if (state) this.#problem(state.problem)
    })
  }

  changed({ currentTarget }) {
    this.builder.changed(currentTarget)
  }

  reshape({ currentTarget }) {
    this.builder.reshape(currentTarget)
  }

  add({ currentTarget, params }) {
    const { path } = currentTarget.closest('[data-cond=group]').dataset
    const model = this.builder.model()
    return this.builder.again(added(model, path, params.group), 'field', model)
  }

  async remove({ currentTarget }) {
    const model = this.builder.model()
    await this.builder.again(removed(model, currentTarget.closest('[data-cond]').dataset.path), 'field', model)
    this.#say('Removed.')
  }

  #told(state, wrong) {
    const text = state.text ?? ''
    if (typeof state.text === 'string' && this.rowsTarget.value) this.textTarget.value = text
    this.noteTarget.textContent = text
    this.noteTarget.hidden = !text
    this.#problem(state.problem)
    if (wrong) this.#say(wrong)
  }

  #problem(problem) {
    showProblem(this.problemTarget, problem)
    if (problem) this.#say(problem.message)
  }

  #show(rows) {
    this.builderTarget.hidden = !rows
    this.writtenTarget.hidden = rows
    this.noteTarget.classList.toggle('hidden', !rows)
    this.switchTarget.hidden = false
    this.switchTextTarget.textContent = rows ? 'Write as text' : 'Show as rows'
  }

  #say(text) {
    this.saidTarget.textContent = text.replaceAll('`', '')
  }
}
