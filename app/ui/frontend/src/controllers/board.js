import { Controller } from '@hotwired/stimulus'
import { headers, say } from '../toasts.js'

/** Cards in stages. Drag, Alt+arrows and the card's menu do the same: move at once, tell the server, put back on failure. */
export default class extends Controller {
  static targets = ['list', 'live']

  async connect() {
    if (this.element.dataset.readonly) return
    const { default: Sortable } = await import('sortablejs')
    this.sortables = this.listTargets.map(
      (list) =>
        new Sortable(list, {
          group: 'cards',
          animation: 140,
          draggable: '[data-card]',
          filter: 'button, [popover]',
          preventOnFilter: false,
          delay: 120,
          delayOnTouchOnly: true,
          onEnd: (event) => event.from !== event.to && this.send(event.item, event.to, event.from, event.from.children[event.oldIndex]),
        }),
    )
  }

  disconnect() {
    this.sortables?.forEach((sortable) => sortable.destroy())
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
    this.move(card, list, this.listTargets[this.listTargets.indexOf(list) + (rightToLeft ? -step : step)])
  }

  /** The card menu's "Move to…". */
  choose(event) {
    const card = document.getElementById(event.params.card)
    this.move(card, card.closest('[data-board-target~=list]'), this.listTargets.find((list) => list.dataset.stage === event.params.stage))
  }

  move(card, from, to) {
    if (!to || to === from) return
    const next = card.nextElementSibling
    to.prepend(card)
    card.focus()
    card.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    this.send(card, to, from, next)
  }

  async send(card, to, from, next) {
    const back = () => from.insertBefore(card, next?.parentElement === from ? next : null)
    if (to.dataset.asks) return this.ask(card, to, back)
    await this.post(card, new URLSearchParams({ stage: to.dataset.stage, version: card.dataset.version }), back, to)
  }

  /** Stages such as Lost want a reason first: the server's dialog asks, closing it without an answer puts the card back. */
  async ask(card, to, back) {
    await window.htmx.ajax('GET', `${card.dataset.url}/stage?to=${encodeURIComponent(to.dataset.stage)}`, { target: '#dialogs', swap: 'innerHTML' })
    const dialog = document.querySelector('#dialogs dialog')
    if (!dialog) return back()
    let sent = false
    dialog.querySelector('form')?.addEventListener('submit', (event) => {
      event.preventDefault()
      sent = true
      const form = new URLSearchParams(new FormData(event.target))
      dialog.close()
      this.post(card, form, back, to)
    })
    dialog.addEventListener('close', () => sent || back(), { once: true })
  }

  async post(card, form, back, to) {
    card.setAttribute('aria-busy', 'true')
    const target = '#board'
    form.set('board', location.search)
    const answer = await fetch(`${card.dataset.url}/stage`, { method: 'POST', headers: headers(), body: form }).catch(() => null)
    card.removeAttribute('aria-busy')
    if (!answer?.ok) {
      back()
      card.focus()
      const reason = (await answer?.json?.().catch(() => null))?.detail
      return say(reason ?? 'The card could not be moved. It is back where it was.', 'alert')
    }
    this.liveTarget.textContent = `Moved to ${to.dataset.label}`
    const focused = card.contains(document.activeElement) ? card.id : ''
    await window.htmx.ajax('GET', `${location.pathname}${location.search}`, { target, swap: 'innerMorph' })
    if (focused) document.getElementById(focused)?.focus()
    const undo = await answer.json().catch(() => null)
    if (undo?.toast) window.htmx.ajax('GET', undo.toast, { target: '#toasts', swap: 'beforeend' })
  }
}
