/** The server's dialog of what a move wants to know: why it was lost, or what the rules miss. */

/** Refusals that somebody can mend by filling something in. */
const RULES = new Set(['stage.gate', 'rule.refused'])

/** Whether a move was refused for what the dialog can ask for. */
export const canBeMended = (reason) => !!reason?.errors?.some(({ code }) => RULES.has(code))

/** Tell an open dialog why it was refused; false when there is none. */
export function refusedInDialog(dialog, reason) {
  if (!dialog?.isConnected || !reason?.errors?.length) return false
  dialog.querySelector('form').dispatchEvent(new CustomEvent('live:refused', { detail: reason.errors }))
  return true
}

/** Ask, then `move(form, dialog)`, which says whether it was moved; closing the dialog without that calls `back`. */
export async function askBefore(url, value, move, back) {
  await window.htmx.ajax('GET', `${url}?to=${encodeURIComponent(value)}`, { target: '#dialogs', swap: 'innerHTML' })
  const dialog = document.querySelector('#dialogs dialog')
  if (!dialog) return back()
  let sent = false
  // caught on its way down: on a record's page htmx sends this form, here the card is to move first
  const send = async (event) => {
    event.preventDefault()
    event.stopPropagation()
    sent = true
    const form = new URLSearchParams(new FormData(event.target))
    // where rules may still object the dialog stays until the card has moved: what was typed is kept
    if (event.target.matches('[data-controller~=live]')) return (sent = await move(form, dialog))
    dialog.close()
    await move(form)
  }
  dialog.addEventListener('submit', send, { capture: true })
  dialog.addEventListener('close', () => sent || back(), { once: true })
}
