import { Controller } from '@hotwired/stimulus'

/** Tabs with panels on the same page (WAI-ARIA tabs: arrows move, the chosen one is shown). */
export default class extends Controller {
  static targets = ['tab', 'panel']
  static values = { remember: String }

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
    if (this.rememberValue) this.#keep(this.tabTargets[index].id.replace(/^tab-(part-)?/, ''))
  }

  /** The address names the tab, so that reloading, going back and passing it on lead there. */
  #keep(name) {
    const address = new URL(location)
    address.searchParams.set(this.rememberValue, name)
    history.replaceState(history.state, '', address)
  }
}
