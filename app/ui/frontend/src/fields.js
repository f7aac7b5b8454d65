// How a field of a form shows what rules make of it. A field is what stands around a control, its label and messages.

const controls = (field) => [...field.querySelectorAll('input:not([type=hidden]):not(.currency), select, textarea, [contenteditable]')]

/** Whether that is new. Fields that are always required stay so. */
export function setRequired(field, required) {
  const [control] = controls(field)
  const label = field.querySelector('label, legend')
  if (!control || !label) return false
  field.dataset.always ??= String(control.required === true || control.getAttribute('aria-required') === 'true')
  if (field.dataset.always === 'true') return false
  if (required && field.closest('details')) field.closest('details').open = true
  const before = control.getAttribute('aria-required') === 'true'
  const plain = control.type !== 'checkbox' && control.getAttribute('role') !== 'combobox'
  if (plain && 'required' in control) control.required = required
  if (required) control.setAttribute('aria-required', 'true')
  else control.removeAttribute('aria-required')
  let star = label.querySelector('[data-live-star]')
  if (required && !star) {
    star = document.createElement('span')
    star.className = 'text-error'
    star.setAttribute('aria-hidden', 'true')
    star.dataset.liveStar = ''
    star.textContent = '*'
    label.append(star)
  } else if (!required) star?.remove()
  return before !== required
}

/** Its value is still sent: a select keeps its choice by losing the others. */
export function setLocked(field, locked) {
  for (const control of controls(field)) {
    if ('readOnly' in control && control.type !== 'checkbox') control.readOnly = locked
    if (locked) control.setAttribute('aria-readonly', 'true')
    else control.removeAttribute('aria-readonly')
    for (const option of control.options ?? []) option.disabled = locked && !option.selected
  }
}

/** Of a select or check boxes; undefined allows all. What is chosen stays to be seen. */
export function setAllowed(field, allowed) {
  for (const option of field.querySelectorAll('option')) {
    const gone = !!allowed && !!option.value && !allowed.includes(option.value)
    option.hidden = gone && !option.selected
    if (!field.querySelector('[aria-readonly]')) option.disabled = gone && !option.selected
  }
  for (const box of field.querySelectorAll('input[type=checkbox]')) box.disabled = !!allowed && !allowed.includes(box.value) && !box.checked
}

/** Whether there is anything new to say. What the server wrote there is not said twice. */
export function setReason(field, name, text) {
  const [control] = controls(field)
  const written = [...field.querySelectorAll('.field-error:not([data-live-reason])')].map((error) => error.textContent.trim())
  let place = field.querySelector('[data-live-reason]')
  const wanted = written.includes(text) ? '' : text
  if ((place?.textContent ?? '') === wanted) return false
  if (!place) {
    place = document.createElement('p')
    place.className = 'field-error mt-1'
    place.id = `live-${name}`
    place.dataset.liveReason = ''
    field.append(place)
  }
  place.textContent = wanted
  place.hidden = !wanted
  const others = (control?.getAttribute('aria-describedby') ?? '').split(' ').filter((id) => id && id !== place.id)
  const ids = (wanted ? [place.id, ...others] : others).join(' ')
  if (ids) control?.setAttribute('aria-describedby', ids)
  else control?.removeAttribute('aria-describedby')
  if (!written.length) control?.toggleAttribute('aria-invalid', false)
  if (wanted) control?.setAttribute('aria-invalid', 'true')
  return !!wanted
}
