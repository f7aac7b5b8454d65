import { Controller } from '@hotwired/stimulus'

/** Shows a chosen theme or density at once; the form that holds the choice is sent by htmx. */
export default class extends Controller {
  choose({ params }) {
    const root = document.documentElement
    if (params.theme === 'system') delete root.dataset.theme
    else if (params.theme) root.dataset.theme = params.theme
    if (params.density) root.dataset.density = params.density
    for (const item of this.element.querySelectorAll('[aria-pressed]')) {
      const value = item.dataset.themeThemeParam ?? item.dataset.themeDensityParam
      const group = item.dataset.themeThemeParam ? params.theme : params.density
      if (group) item.setAttribute('aria-pressed', String(value === group))
    }
  }
}
