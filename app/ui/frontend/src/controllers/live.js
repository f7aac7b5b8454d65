import { Controller } from '@hotwired/stimulus'
import { setAllowed, setLocked, setReason, setRequired } from '../fields.js'
import { headers } from '../toasts.js'

const PAUSE = 200

/**
 * A form that looks as rules want it: after every change the server says which fields are required, shown, locked,
 * which choices are allowed and what saving would be refused for. Nothing is moved but what differs.
 */
export default class extends Controller {
  static targets = ['field', 'general', 'reason', 'said']
  static values = { url: String, state: Object }

  connect() {
    this.touched = new Set()
    this.element.addEventListener('live:refused', this.#refused)
    this.apply(this.stateValue)
  }

  disconnect() {
    clearTimeout(this.timer)
    this.asking?.abort()
    this.element.removeEventListener('live:refused', this.#refused)
  }

  changed({ target }) {
    const name = target.name?.split('.')[0] || target.closest('[data-live-name]')?.dataset.liveName
    if (name) this.touched.add(name)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.ask(), PAUSE)
  }

  async ask() {
    this.asking?.abort()
    this.asking = new AbortController()
    const { signal } = this.asking
    const body = new URLSearchParams(new FormData(this.element))
    const answer = await fetch(this.urlValue, { method: 'POST', headers: headers(), body, signal }).catch(() => null)
    const state = answer?.ok ? await answer.json().catch(() => null) : null
    if (state && !signal.aborted && this.element.isConnected) this.apply(state, true)
  }

  apply(state, aloud = false) {
    if (!state.required) return
    const news = []
    const shown = state.problems.filter((problem) => this.#concerns(problem))
    for (const field of this.fieldTargets) {
      const { liveName: name, liveLabel: label } = field.dataset
      const required = state.required.includes(name)
      const hidden = state.hidden.includes(name)
      if (field.hidden !== hidden) news.push(`${label} is ${hidden ? 'hidden' : 'shown'}.`)
      field.hidden = hidden
      if (setRequired(field, required)) news.push(`${label} is ${required ? 'required' : 'no longer required'}.`)
      setLocked(field, name in state.locked)
      setAllowed(field, state.options[name])
      const reasons = shown.filter((problem) => problem.field === name).map(({ message }) => message)
      if (state.locked[name]) reasons.push(state.locked[name])
      if (setReason(field, name, [...new Set(reasons)].join(' '))) news.push(...reasons)
    }
    const here = new Set(this.fieldTargets.map((field) => field.dataset.liveName))
    const general = [...new Set(shown.filter(({ field }) => !here.has(field)).map(({ message }) => message))].join(' ')
    if (this.hasReasonTarget && this.reasonTarget.textContent !== general) {
      this.reasonTarget.textContent = general
      this.generalTarget.hidden = !general
      if (general) news.push(general)
    }
    if (aloud && news.length && this.hasSaidTarget) this.saidTarget.textContent = news.join(' ')
  }

  /** What the form was refused for when it was sent. */
  #refused = ({ detail }) => {
    const problems = detail.map(({ pointer, message }) => ({ field: pointer.replace(/^\//, '').split('/')[0], message, about: [] }))
    this.everything = true
    this.apply({ ...this.stateValue, problems }, true)
    const first = this.fieldTargets.find((field) => problems.some((problem) => problem.field === field.dataset.liveName))
    first?.querySelector('input:not([type=hidden]), select, textarea')?.focus()
  }

  /** What nobody has come to yet is not held against them, unless the form is there to ask for it. */
  #concerns({ field, about }) {
    if (this.everything || this.generalTarget?.dataset.eager) return true
    return [field, ...about].some((name) => this.touched.has(name))
  }
}
