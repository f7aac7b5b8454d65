// htmx with the extension that refuses any element whose attributes were not stamped with the page's nonce.
import htmx from 'htmx.org'

Object.assign(htmx.config, { includeIndicatorCSS: false, extensions: 'hx-csp', defaultTimeout: 30000, history: 'reload' })

document.addEventListener('htmx:config:request', (event) => {
  const { request } = event.detail.ctx
  if (request.method !== 'GET') request.headers['X-CSRF-Token'] = document.querySelector('meta[name=csrf-token]')?.content ?? ''
})

export default htmx
