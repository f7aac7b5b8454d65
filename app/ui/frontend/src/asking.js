// A write that the server asks about first (409 with `confirm` in its answer): one dialog for every way to send it.

import { say } from './toasts.js'

/** Ask `message`; whether to go on. The dialog stands above whatever is open. */
export function agreed(message) {
  const dialog = document.querySelector('#asking-blank').content.firstElementChild.cloneNode(true)
  dialog.querySelector('[data-slot=message]').textContent = message
  document.body.append(dialog)
  return new Promise((resolve) => {
    const answer = (yes) => () => {
      resolve(yes)
      dialog.close()
    }
    dialog.querySelector('[data-slot=yes]').addEventListener('click', answer(true))
    dialog.addEventListener('close', answer(false), { once: true })
  })
}

/** What the server asks, from its answer; nothing when it asks nothing. */
export async function question(answer) {
  if (answer?.status !== 409 || !answer.headers.get('Content-Type')?.includes('problem+json')) return null
  const problem = await answer.clone().json().catch(() => null)
  return problem?.confirm ? problem : null
}

// Every form and button of htmx: the request is sent again with the answer, or whoever sent it hears that nothing was done.
document.addEventListener('htmx:before:response', (event) => {
  const { ctx } = event.detail
  if (ctx.response.status !== 409 || !ctx.response.headers.get('Content-Type')?.includes('problem+json')) return
  event.preventDefault()
  ask(ctx)
})

async function ask({ response, request, sourceElement: source, target, swap }) {
  const asked = await question(response.raw)
  if (!asked) return
  if (request.body?.has?.('confirm')) return say(asked.detail, 'alert')
  if (await agreed(asked.detail))
    return window.htmx.ajax(request.method, request.action, { source, target, swap, values: { confirm: asked.confirm } })
  source.dispatchEvent(new CustomEvent('asking:kept', { bubbles: true }))
}
