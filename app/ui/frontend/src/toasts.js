// Toasts made by scripts. Those made by the server arrive as markup from kit/toast.html.

/** Say `message` in the live region; `tone` is "status" or "alert". */
export function say(message, tone = 'status') {
  const source = document.querySelector('#toast-blank')
  if (!source) return
  const toast = source.content.firstElementChild.cloneNode(true)
  toast.setAttribute('role', tone)
  toast.dataset.tone = tone
  const use = toast.querySelector('use')
  if (tone === 'alert') use.setAttribute('href', use.getAttribute('href').replace(/#.*/, '#triangle-alert'))
  toast.querySelector('[data-slot=message]').textContent = message
  document.querySelector('#toasts').append(toast)
}

/** What a page's scripts send along with every unsafe request of their own. */
export function headers() {
  return { 'X-CSRF-Token': document.querySelector('meta[name=csrf-token]')?.content ?? '', Accept: 'application/json' }
}

/** Say what an answer says of itself, with its way back; these words when it says nothing. */
export async function sayDone(answer, words) {
  const { toast } = (await answer.json().catch(() => null)) ?? {}
  if (toast) window.htmx.ajax('GET', toast, { target: '#toasts', swap: 'beforeend' })
  else say(words)
}
