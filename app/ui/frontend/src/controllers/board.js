import { Controller } from '@hotwired/stimulus'
import { agreed, question } from '../asking.js'
import { dragging } from '../dragging.js'
import { place, walk } from '../popups.js'
import { headers, say, sayDone } from '../toasts.js'
import { askBefore, canBeMended, refusedInDialog } from '../move-dialog.js'

/** Cards in the columns a field makes. Drag, Alt+arrows and the card's menu do the same: move at once, tell the server, put back on failure. */
export default class extends Controller {
  static targets = ['list', 'live', 'menu']

  initialize() {
    this.sortables = new Map()
  }

  /** Lists come and go with every refresh of the board, so each gets its own drag handling when it appears. */
  async listTargetConnected(list) {
    if (this.element.dataset.readonly) return
    const wanted = () => list.isConnected && !this.sortables.has(list)
    const sortable = await dragging(list, wanted, (...moved) => this.send(...moved))
    if (sortable) this.sortables.set(list, sortable)
  }

  listTargetDisconnected(list) {
    this.sortables.get(list)?.destroy()
    this.sortables.delete(list)
  }

  key(event) {
    const card = event.target.closest('[data-card]')
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (!card || !step) return
    const list = card.closest('[data-board-target~=list]')
    const sideways = event.key === 'ArrowLeft' || event.key === 'ArrowRight'
    if (!event.altKey) {
      if (sideways) return
      event.preventDefault()
      return (step > 0 ? card.nextElementSibling : card.previousElementSibling)?.focus()
    }
    if (!sideways) return
    event.preventDefault()
    const rightToLeft = getComputedStyle(this.element).direction === 'rtl'
    this.move(card, list, this.beside(list, rightToLeft ? -step : step))
  }

  /** The next column on a side that cards can come to. */
  beside(list, step) {
    let at = this.listTargets.indexOf(list) + step
    while ('closed' in (this.listTargets[at]?.dataset ?? {})) at += step
    return this.listTargets[at]
  }

  /** One "Move to…" list serves all cards; it opens beside the button that asked for it. */
  openMenu(event) {
    event.preventDefault()
    this.opener = event.currentTarget
    this.opener.setAttribute('aria-expanded', 'true')
    const { value } = this.opener.closest('[data-board-target~=list]').dataset
    for (const item of this.menuTarget.querySelectorAll('.menu-item')) item.hidden = item.dataset.value === value
    this.menuTarget.showPopover()
    place(this.menuTarget, this.opener)
    this.items[0]?.focus()
  }

  menuKey(event) {
    event.stopPropagation()
    if (walk(event, this.items) || event.key !== 'Escape') return
    event.preventDefault()
    this.menuTarget.hidePopover()
    this.opener.focus()
  }

  menuClosed(event) {
    if (event.newState === 'closed') this.opener?.setAttribute('aria-expanded', 'false')
  }

  choose(event) {
    this.menuTarget.hidePopover()
    const card = this.opener.closest('[data-card]')
    const { value } = event.currentTarget.dataset
    this.move(card, card.closest('[data-board-target~=list]'), this.listTargets.find((list) => list.dataset.value === value))
  }

  urlOf(card) {
    return `${card.dataset.url}/fields/${this.element.dataset.field}/move`
  }

  get items() {
    return [...this.menuTarget.querySelectorAll('.menu-item:not([hidden])')]
  }

  move(card, from, to) {
    if (!to || to === from) return
    if ('fixed' in card.dataset) return say(this.element.dataset.fixedReason, 'alert')
    const next = card.nextElementSibling
    to.prepend(card)
    card.focus()
    card.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    this.send(card, to, from, next)
  }

  async send(card, to, from, next) {
    const back = () => from.insertBefore(card, next?.parentElement === from ? next : null)
    // refused here and not while it is dragged: it would be left in the column it came past
    if (to.dataset.closed) {
      back()
      return say(to.dataset.closed, 'alert')
    }
    if (to.dataset.asks) return this.ask(card, to, back)
    await this.post(card, new URLSearchParams({ [this.element.dataset.field]: to.dataset.value, version: card.dataset.version }), back, to)
  }

  ask(card, to, back) {
    return askBefore(this.urlOf(card), to.dataset.value, (form, dialog) => this.post(card, form, back, to, dialog), back)
  }

  /** Whether the card was moved. A dialog that asked before is told why not; without one it asks what is missing. */
  async post(card, form, back, to, dialog) {
    card.setAttribute('aria-busy', 'true')
    const answer = await fetch(this.urlOf(card), { method: 'POST', headers: headers(), body: form }).catch(() => null)
    card.removeAttribute('aria-busy')
    const asked = await question(answer)
    if (asked && !form.has('confirm')) {
      if (!(await agreed(asked.detail))) {
        back()
        return card.focus() // moving it took the focus away
      }
      form.set('confirm', asked.confirm)
      return this.post(card, form, back, to, dialog)
    }
    if (!answer?.ok) {
      const reason = await answer?.json?.().catch(() => null)
      if (refusedInDialog(dialog, reason)) return false
      dialog?.close()
      if (canBeMended(reason)) return this.ask(card, to, back)
      back()
      card.focus()
      say(reason?.detail ?? 'The card could not be moved. It is back where it was.', 'alert')
      return false
    }
    dialog?.close()
    this.liveTarget.textContent = `Moved to ${to.dataset.label}`
    const focused = card.contains(document.activeElement) ? card.id : ''
    await window.htmx.ajax('GET', `${location.pathname}${location.search}`, { target: '#board', swap: 'outerMorph' })
    if (focused) document.getElementById(focused)?.focus()
    await sayDone(answer, `Moved to ${to.dataset.label}`)
    return true
  }
}
