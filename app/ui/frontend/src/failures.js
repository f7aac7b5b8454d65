// A request that failed must never pass in silence: offline, time-out, an answer that isn't a fragment.
import { say } from './toasts.js'

const LOST = 'No connection to the server. Nothing was saved; try again in a moment.'
const OFFLINE = 'You are offline. Nothing is saved until the connection is back.'

document.addEventListener('htmx:error', (event) => {
  const { error, ctx } = event.detail
  if (error?.name === 'AbortError' && ctx?.request?.signal?.reason !== 'timeout') return
  if (!navigator.onLine) return say(OFFLINE, 'alert')
  // fetch tells a lost connection and nothing else by a TypeError
  say(error instanceof TypeError && ctx?.request ? LOST : 'That did not work. Try again in a moment.', 'alert')
})

// the server sends errors as toasts (HX-Retarget) or as a form to correct (422); anything else must not land in a panel
document.addEventListener('htmx:before:swap', (event) => {
  const { response } = event.detail.ctx
  const status = response?.status ?? 200
  if (status < 400 || status === 422 || status === 409 || response.headers.get('HX-Retarget')) return
  event.preventDefault()
  say('That did not work. Try again in a moment.', 'alert')
})

addEventListener('offline', () => say(OFFLINE, 'alert'))
addEventListener('online', () => {
  for (const toast of document.querySelectorAll('#toasts [data-tone=alert]'))
    if (toast.querySelector('[data-slot=message]')?.textContent === OFFLINE) toast.remove()
  say('You are back online.')
})

// what is being read again says so after 200 ms (app.css): a list or a board
document.addEventListener('htmx:before:request', (event) => mark(event.detail.ctx, true))
document.addEventListener('htmx:finally:request', (event) => mark(event.detail.ctx, false))

function mark(ctx, busy) {
  const target = typeof ctx?.target === 'string' ? document.querySelector(ctx.target) : ctx?.target
  if (target?.matches?.('.fades')) target.toggleAttribute('data-loading', busy)
}
