import { Controller } from '@hotwired/stimulus'

/** Scrolls its strip so that the element is seen: the present stage of a long path on a small screen. */
export default class extends Controller {
  connect() {
    const strip = this.element.parentElement
    strip.scrollLeft = this.element.offsetLeft - (strip.clientWidth - this.element.offsetWidth) / 2
  }
}
