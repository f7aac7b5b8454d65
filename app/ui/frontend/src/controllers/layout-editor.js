import { Controller } from '@hotwired/stimulus'

const HOLDS = { field: 'field', related: 'related', section: 'section', tab: 'tab' }

/**
 * Tabs, sections, fields and related lists in nested lists, put in place by dragging, by their arrows, or by saying where
 * they stand. The form sends them as they follow each other; what lies in the palette stands last and is left out.
 */
export default class extends Controller {
  static targets = ['list', 'blankTab', 'blankSection', 'live', 'palette']

  initialize() {
    this.sortables = new Map()
  }

  async listTargetConnected(list) {
    const { default: Sortable } = await import('sortablejs')
    if (!list.isConnected || this.sortables.has(list)) return
    const animation = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 140
    const options = { group: list.dataset.holds, handle: '.grip', animation, delay: 120, delayOnTouchOnly: true, fallbackOnBody: true }
    this.sortables.set(list, new Sortable(list, { ...options, onEnd: ({ item }) => this.#tell(item) }))
  }

  listTargetDisconnected(list) {
    this.sortables.get(list)?.destroy()
    this.sortables.delete(list)
  }

  /** One place up or down; at the end of its list into the next one of its kind. */
  move(event) {
    const part = partOf(event.currentTarget)
    const { by } = event.params
    const near = by < 0 ? part.previousElementSibling : part.nextElementSibling
    if (near) by < 0 ? near.before(part) : near.after(part)
    else {
      const lists = this.#lists(part)
      const next = lists[lists.indexOf(part.parentElement) + by]
      if (!next) return
      by < 0 ? next.append(part) : next.prepend(part)
    }
    this.#moved(part, event.currentTarget)
  }

  /** Where a part may stand is asked when its settings are opened. */
  offer({ currentTarget: details }) {
    if (!details.open) return
    const part = partOf(details)
    const select = details.querySelector('[data-layout-editor-places]')
    if (!select) return
    const lists = [...this.#lists(part), this.#palette(part)]
    select.replaceChildren(...lists.map((list, at) => new Option(this.#called(list), at, false, list === part.parentElement)))
  }

  place(event) {
    const part = partOf(event.currentTarget)
    const list = [...this.#lists(part), this.#palette(part)][Number(event.currentTarget.value)]
    if (!list || list === part.parentElement) return
    list.append(part)
    this.#moved(part, event.currentTarget)
  }

  /** Out of the palette into the first list there is. */
  add(event) {
    const part = partOf(event.currentTarget)
    const lists = this.#lists(part)
    const list = lists.includes(this.last) ? this.last : lists[0]
    if (!list) return
    const near = part.nextElementSibling ?? part.previousElementSibling
    list.append(part)
    this.#tell(part)
    near?.querySelector('[data-action*="layout-editor#add"]')?.focus()
  }

  /** Back into the palette; of a section or tab everything in it. */
  remove(event) {
    const part = partOf(event.currentTarget)
    const near = part.nextElementSibling ?? part.previousElementSibling ?? part.parentElement.closest('[data-part]')
    const inner = ['field', 'related'].includes(part.dataset.part) ? [part] : [...part.querySelectorAll('[data-part=field], [data-part=related]')]
    for (const one of inner) this.#palette(one).append(one)
    if (!inner.includes(part)) part.remove()
    this.liveTarget.textContent = `${nameOf(part)} taken out`
    near?.querySelector('button')?.focus()
  }

  addSection(event) {
    this.#insert(event.currentTarget.closest('[data-part=tab]').querySelector('[data-holds=section]'), this.blankSectionTarget)
  }

  addTab() {
    this.#insert(this.listTargets.find((list) => list.dataset.holds === 'tab'), this.blankTabTarget)
  }

  /** Columns of a related list in the order they were ticked. */
  columns(event) {
    const box = event.currentTarget
    const kept = box.closest('[data-part]').querySelector('[name="n.columns"]')
    const paths = kept.value.split(',').filter((path) => path && path !== box.value)
    kept.value = [...paths, ...(box.checked ? [box.value] : [])].join(',')
  }

  #insert(list, blank) {
    list.append(blank.content.cloneNode(true))
    const part = list.lastElementChild
    window.htmx.process(part)
    part.querySelector('input:not([type=hidden])').focus()
  }

  #lists(part) {
    return this.listTargets.filter((list) => list.dataset.holds === HOLDS[part.dataset.part] && !this.paletteTarget.contains(list) && !part.contains(list))
  }

  #palette(part) {
    return this.paletteTarget.querySelector(`[data-holds=${part.dataset.part}]`)
  }

  #called(list) {
    if (this.paletteTarget.contains(list)) return 'Not on the page'
    const names = []
    for (let part = list.closest('[data-part]'); part; part = part.parentElement.closest('[data-part]')) names.unshift(nameOf(part))
    return names.join(' / ')
  }

  #moved(part, focused) {
    focused.focus()
    part.scrollIntoView({ block: 'nearest' })
    this.#tell(part)
  }

  #tell(part) {
    const list = part.parentElement
    if (!this.paletteTarget.contains(list)) this.last = list
    const parts = [...list.children]
    const where = part.dataset.part === 'tab' ? '' : ` in ${this.#called(list)}`
    this.liveTarget.textContent = `${nameOf(part)}, ${parts.indexOf(part) + 1} of ${parts.length}${where}`
  }
}

const partOf = (element) => element.closest('[data-part]')

function nameOf(part) {
  const named = part.querySelector('[data-part-name]')
  return (named?.value ?? named?.textContent ?? '').trim() || 'Part'
}
