import { Controller } from '@hotwired/stimulus'
import { headers } from '../toasts.js'

const PAUSE = 250
const MARKS = { met: 'Met', unmet: 'Not met', unknown: 'Unknown' }
let number = 0

/**
 * A condition as rows and as text. The server makes rows of the text and text of the rows; this keeps what was chosen.
 * Until somebody changes a row the form sends the text as it came; then it sends the rows, whatever is still on its way.
 */
export default class extends Controller {
  static targets = ['rows', 'builder', 'written', 'text', 'switch', 'switchText', 'problem', 'note', 'said']
  static values = { url: String, label: String, empty: String, trying: Boolean }

  connect() {
    this.key = `cond${++number}`
    this.tried = ''
    this.typedAt = 0
    this.details = this.element.closest('details')
    if (this.details && !this.details.open) this.details.addEventListener('toggle', this.#start, { once: true })
    else this.#start()
    this.builderTarget.addEventListener('change', this.#found)
    this.builderTarget.addEventListener('keydown', this.#typing)
  }

  disconnect() {
    clearTimeout(this.timer)
    this.asking?.abort()
    this.details?.removeEventListener('toggle', this.#start)
    this.builderTarget.removeEventListener('change', this.#found)
    this.builderTarget.removeEventListener('keydown', this.#typing)
  }

  /** Rows where the text is such, else the text with what is wrong. */
  #start = async () => {
    if (this.shaped) return
    if (await this.#render({ text: this.textTarget.value })) this.#show(true)
    else this.#show(false)
  }

  async switch() {
    if (!this.builderTarget.hidden) {
      const state = await this.#state({ rows: JSON.stringify(this.model()) })
      if (!state || state.text === null || state.text === undefined) return this.#say('Complete the conditions first.')
      this.textTarget.value = state.text
      this.rowsTarget.value = ''
      this.#show(false)
      this.textTarget.focus()
    } else if (await this.#render({ text: this.textTarget.value })) {
      this.#show(true)
      this.builderTarget.querySelector('select, input:not([type=hidden]), button')?.focus()
    }
  }

  /** What is typed as text. */
  typed() {
    this.rowsTarget.value = ''
    clearTimeout(this.timer)
    this.timer = setTimeout(async () => {
      const state = await this.#state({ text: this.textTarget.value })
      if (state) this.#problem(state.problem)
    }, PAUSE)
  }

  /** A value: the text follows, the rows stay as they are. */
  changed(event) {
    const control = event?.currentTarget
    if (this.busy && control?.dataset.key === 'text') this.late = [control.closest('[data-cond]').dataset.path, control.value]
    this.#keep()
    clearTimeout(this.timer)
    this.timer = setTimeout(async () => {
      const state = await this.#state({ rows: JSON.stringify(this.model()) })
      if (state) this.#apply(state, true)
    }, PAUSE)
  }

  /** Another field or operator: other controls. Whoever chooses by typing is let finish. */
  reshape({ currentTarget: control }) {
    const line = control.closest('[data-cond]')
    line.dataset.fresh = control.dataset.key
    this.#keep()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.#again(line.dataset.path, control.dataset.key), Date.now() - this.typedAt < PAUSE ? 2 * PAUSE : 0)
  }

  async add(event) {
    const group = event.currentTarget.closest('[data-cond=group]')
    const { path } = group.dataset
    const model = this.model()
    const there = at(model, path)
    there.items.push({ field: '', op: '' })
    await this.#again(join(path, there.items.length - 1), 'field', model)
  }

  async addGroup(event) {
    const { path } = event.currentTarget.closest('[data-cond=group]').dataset
    const model = this.model()
    const there = at(model, path)
    there.items.push({ join: there.join === 'any' ? 'all' : 'any', items: [{ field: '', op: '' }] })
    await this.#again(`${join(path, there.items.length - 1)}.0`, 'field', model)
  }

  async remove(event) {
    const line = event.currentTarget.closest('[data-cond]')
    const steps = line.dataset.path.split('.')
    const last = Number(steps.pop())
    const model = this.model()
    const { items } = at(model, steps.join('.'))
    items.splice(last, 1)
    const near = items.length ? join(steps.join('.'), Math.min(last, items.length - 1)) : steps.join('.')
    await this.#again(near, 'field', model)
    this.#say('Removed.')
  }

  /** The rows as they stand. */
  model() {
    const root = this.builderTarget.querySelector('[data-cond=group]')
    return root ? groupOf(root) : { join: 'all', items: [] }
  }

  /** A record was found: to compare with, or to try with. */
  #found = (event) => {
    if (event.target.closest('[data-condition-try]') && event.target.type === 'hidden') {
      this.tried = event.target.value
      clearTimeout(this.timer)
      this.#state({ rows: JSON.stringify(this.model()) }).then((state) => state && this.#apply(state, true))
    } else if (event.target.closest('[data-condition-found]') && event.target.type === 'hidden') this.changed()
  }

  #typing = () => {
    this.typedAt = Date.now()
  }

  #keep(model = this.model()) {
    this.rowsTarget.value = JSON.stringify(model)
  }

  async #again(path, key, model = this.model()) {
    this.#keep(model)
    clearTimeout(this.timer)
    const active = document.activeElement
    const chooses = this.builderTarget.contains(active) && active.matches('[data-key=field], [data-key=op], [data-key=form]')
    const [there, name] = chooses ? [active.closest('[data-cond]').dataset.path, active.dataset.key] : [path, key]
    this.late = null
    this.busy = true
    const done = await this.#render({ rows: JSON.stringify(model) })
    this.busy = false
    if (!done) return
    this.#catchUp()
    this.#keep()
    const line = this.builderTarget.querySelector(`[data-path="${there}"]`)
    const control = line?.querySelector(`[data-key=${name}]`) ?? line?.querySelector('[data-key]:not([hidden], [type=hidden])')
    const wanted = control && !control.closest('[hidden]') ? control : this.builderTarget.querySelector('button')
    wanted?.focus()
  }

  /** What was typed while the rows were made anew. */
  #catchUp() {
    if (!this.late) return
    const [path, value] = this.late
    const control = this.builderTarget.querySelector(`[data-path="${path}"] [data-key=text]`)
    if (control?.matches('input')) control.value = value
    this.late = null
    this.changed()
  }

  /** The rows made anew; false where the text is no condition. */
  async #render(said) {
    const values = { ...said, key: this.key, try: this.tried, empty: this.emptyValue, trying: this.tryingValue, label: this.labelValue }
    await window.htmx.ajax('POST', this.urlValue, { target: this.builderTarget, swap: 'innerHTML', values })
    const found = this.builderTarget.querySelector('[data-condition-state]')
    if (!found) return false
    const state = JSON.parse(found.dataset.conditionState)
    if (!found.dataset.conditionModel) {
      this.#problem(state.problem)
      return false
    }
    this.shaped = true
    this.#fields(found.querySelector('[data-condition-fields]'))
    this.#apply(state)
    return true
  }

  /** Every box of fields gets all of them; the server sends them once. */
  #fields(template) {
    for (const select of this.builderTarget.querySelectorAll('select[data-key=field]')) {
      const [chosen] = select.options
      const options = template.content.cloneNode(true)
      const known = [...options.querySelectorAll('option')].some((option) => option.value === chosen.value)
      if (known) chosen.remove()
      const { value } = chosen
      select.append(options)
      select.value = value
    }
  }

  async #state(said) {
    this.asking?.abort()
    this.asking = new AbortController()
    const { signal } = this.asking
    const body = new URLSearchParams({ ...said, part: 'state', try: this.tried })
    const answer = await fetch(this.urlValue, { method: 'POST', headers: headers(), body, signal }).catch(() => null)
    return answer?.ok ? answer.json().catch(() => null) : null
  }

  #apply(state, aloud = false) {
    const problems = state.problems ?? {}
    for (const line of this.builderTarget.querySelectorAll('[data-cond]')) {
      const { path } = line.dataset
      mark(line.querySelector('[data-condition-mark]'), state.marks?.[path])
      if (line.dataset.cond !== 'group') fault(line, problems[path], `${this.key}-${path}`)
    }
    const whole = this.builderTarget.querySelector('[data-condition-whole]')
    const result = state.marks?.['']
    if (whole) whole.textContent = result ? { met: 'This record meets it.', unmet: 'This record does not meet it.', unknown: 'Unknown: something it asks for is empty.' }[result] : ''
    if (state.text !== null && state.text !== undefined) {
      if (this.rowsTarget.value) this.textTarget.value = state.text
      this.noteTarget.textContent = state.text
    } else this.noteTarget.textContent = ''
    this.noteTarget.hidden = !this.noteTarget.textContent
    this.#problem(state.problem)
    const first = Object.values(problems)[0]
    if (aloud && first) this.#say(first)
  }

  #problem(problem) {
    this.problemTarget.hidden = !problem
    this.problemTarget.replaceChildren()
    if (!problem) return
    this.problemTarget.append(problem.message.replaceAll('`', '“'))
    if (problem.position && problem.here) {
      const code = document.createElement('code')
      const here = document.createElement('b')
      here.className = 'underline decoration-2 underline-offset-2'
      here.textContent = problem.here
      code.append(problem.before, here)
      this.problemTarget.append(' Near ', code)
    }
    this.#say(problem.message)
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

function join(path, at) {
  return path ? `${path}.${at}` : String(at)
}

function at(model, path) {
  return path ? path.split('.').reduce((group, step) => group.items[Number(step)], model) : model
}

function groupOf(element) {
  const list = [...element.children].find((child) => child.matches('[data-cond-items]'))
  const items = [...(list?.children ?? [])].map((item) => {
    const line = item.matches('[data-cond]') ? item : item.firstElementChild
    return line.dataset.cond === 'group' ? groupOf(line) : itemOf(line)
  })
  return { join: element.querySelector('[data-key=join]').value, items }
}

function itemOf(line) {
  const of = (key) => line.querySelector(`[data-key=${key}]`)
  if (line.dataset.cond === 'part') return { text: of('part').value }
  const { fresh } = line.dataset
  if (fresh === 'field') return { field: of('field').value, op: '' }
  const item = { field: of('field').value, op: of('op')?.value ?? '' }
  if (fresh === 'form') return { ...item, value: { form: of('form').value } }
  const boxes = [...line.querySelectorAll('[data-key=items]')]
  const found = line.querySelector('[data-condition-found] input[type=hidden]')
  if (boxes.length) {
    const items = boxes[0].type === 'checkbox' ? boxes.filter((box) => box.checked).map((box) => box.value) : boxes[0].value.split('\n').filter((one) => one.trim())
    item.value = { form: 'list', items }
  } else if (of('form')) {
    item.value = { form: of('form').value, text: found?.value ?? of('text')?.value ?? '', unit: of('unit')?.value ?? '' }
  }
  return item
}

function mark(place, state) {
  if (!place) return
  place.hidden = !state
  place.dataset.state = state ?? ''
  place.textContent = state ? MARKS[state] : ''
}

function fault(line, message, key) {
  const place = line.querySelector('[data-condition-error]')
  place.hidden = !message
  place.textContent = (message ?? '').replaceAll('`', '')
  place.id = `${key.replaceAll('.', '-')}-error`
  for (const control of line.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    if (message) control.setAttribute('aria-describedby', place.id)
    else control.removeAttribute('aria-describedby')
  }
}
