// A request that failed must never pass in silence: offline, time-out, an answer that isn't a fragment.
import { say } from './toasts.js'

document.addEventListener('htmx:error', (event) => {
  if (event.detail.error?.name === 'AbortError') return
  say(navigator.onLine ? 'That did not work. Try again in a moment.' : 'You are offline. Nothing was saved.', 'alert')
})

// the server sends errors as toasts (HX-Retarget) or as a form to correct (422); anything else must not land in a panel
document.addEventListener('htmx:before:swap', (event) => {
  const { response } = event.detail.ctx
  const status = response?.status ?? 200
  if (status < 400 || status === 422 || status === 409 || response.headers.get('HX-Retarget')) return
  event.preventDefault()
  say('That did not work. Try again in a moment.', 'alert')
})
