import { Controller } from '@hotwired/stimulus'
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
      if (this.#require(field, required)) news.push(`${label} is ${required ? 'required' : 'no longer required'}.`)
      this.#lock(field, name in state.locked)
      this.#allow(field, state.options[name])
      const reasons = shown.filter((problem) => problem.field === name).map(({ message }) => message)
      if (state.locked[name]) reasons.push(state.locked[name])
      if (this.#tell(field, name, [...new Set(reasons)].join(' '))) news.push(...reasons)
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

  #controls(field) {
    return [...field.querySelectorAll('input:not([type=hidden]):not(.currency), select, textarea, [contenteditable]')]
  }

  /** Whether that is new. Fields that are always required stay so. */
  #require(field, required) {
    const [control] = this.#controls(field)
    const label = field.querySelector('label, legend')
    if (!control || !label) return false
    field.dataset.always ??= String(control.required === true || control.getAttribute('aria-required') === 'true')
    if (field.dataset.always === 'true') return false
    if (required && field.closest('details')) field.closest('details').open = true
    const before = control.getAttribute('aria-required') === 'true'
    const plain = control.type !== 'checkbox' && control.getAttribute('role') !== 'combobox'
    if (plain && 'required' in control) control.required = required
    if (required) control.setAttribute('aria-required', 'true')
    else control.removeAttribute('aria-required')
    let star = label.querySelector('[data-live-star]')
    if (required && !star) {
      star = document.createElement('span')
      star.className = 'text-error'
      star.setAttribute('aria-hidden', 'true')
      star.dataset.liveStar = ''
      star.textContent = '*'
      label.append(star)
    } else if (!required) star?.remove()
    return before !== required
  }

  /** Its value is still sent: a select keeps its choice by losing the others. */
  #lock(field, locked) {
    for (const control of this.#controls(field)) {
      if ('readOnly' in control && control.type !== 'checkbox') control.readOnly = locked
      if (locked) control.setAttribute('aria-readonly', 'true')
      else control.removeAttribute('aria-readonly')
      for (const option of control.options ?? []) option.disabled = locked && !option.selected
    }
  }

  #allow(field, allowed) {
    for (const option of field.querySelectorAll('option')) {
      const gone = !!allowed && !!option.value && !allowed.includes(option.value)
      option.hidden = gone && !option.selected
      if (!field.querySelector('[aria-readonly]')) option.disabled = gone && !option.selected
    }
    for (const box of field.querySelectorAll('input[type=checkbox]')) box.disabled = !!allowed && !allowed.includes(box.value) && !box.checked
  }

  /** Whether there is anything new to say. What the server wrote there is not said twice. */
  #tell(field, name, text) {
    const [control] = this.#controls(field)
    const written = [...field.querySelectorAll('.field-error:not([data-live-reason])')].map((error) => error.textContent.trim())
    let place = field.querySelector('[data-live-reason]')
    const wanted = written.includes(text) ? '' : text
    if ((place?.textContent ?? '') === wanted) return false
    if (!place) {
      place = document.createElement('p')
      place.className = 'field-error mt-1'
      place.id = `live-${name}`
      place.dataset.liveReason = ''
      field.append(place)
    }
    place.textContent = wanted
    place.hidden = !wanted
    const others = (control?.getAttribute('aria-describedby') ?? '').split(' ').filter((id) => id && id !== place.id)
    const ids = (wanted ? [place.id, ...others] : others).join(' ')
    if (ids) control?.setAttribute('aria-describedby', ids)
    else control?.removeAttribute('aria-describedby')
    if (!written.length) control?.toggleAttribute('aria-invalid', false)
    if (wanted) control?.setAttribute('aria-invalid', 'true')
    return !!wanted
  }
}
