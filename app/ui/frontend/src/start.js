// htmx with the extension that refuses any element whose attributes were not stamped with the page's nonce.
import htmx from 'htmx.org'

// settling gives an element that comes again its old attributes for a moment and then takes away what it got meanwhile:
// a dialog would close (open), and a style attribute is against the policy
Object.assign(htmx.config, { includeIndicatorCSS: false, extensions: 'hx-csp', defaultTimeout: 30000, history: 'reload', defaultSettleDelay: 0 })

document.addEventListener('htmx:config:request', (event) => {
  const { request } = event.detail.ctx
  if (request.method !== 'GET') request.headers['X-CSRF-Token'] = document.querySelector('meta[name=csrf-token]')?.content ?? ''
})

export default htmx
