import { Controller } from '@hotwired/stimulus'

/** Tabs with panels on the same page (WAI-ARIA tabs: arrows move, the chosen one is shown). */
export default class extends Controller {
  static targets = ['tab', 'panel']

  choose(event) {
    this.show(this.tabTargets.indexOf(event.currentTarget))
  }

  key(event) {
    const rightToLeft = getComputedStyle(this.element).direction === 'rtl'
    const step = { ArrowRight: rightToLeft ? -1 : 1, ArrowLeft: rightToLeft ? 1 : -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const count = this.tabTargets.length
    this.show((this.tabTargets.indexOf(event.currentTarget) + step + count) % count, true)
  }

  show(index, focus = false) {
    this.tabTargets.forEach((tab, at) => {
      tab.setAttribute('aria-selected', String(at === index))
      tab.classList.toggle('tab-active', at === index)
      tab.tabIndex = at === index ? 0 : -1
      if (focus && at === index) tab.focus()
    })
    this.panelTargets.forEach((panel, at) => (panel.hidden = at !== index))
  }
}
