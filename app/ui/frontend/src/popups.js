// What every pop-up list does: stand beside its button, let the arrow keys walk.

/** Put the open `list` below `anchor`, or above it where there is no room; kept inside the window. */
export function place(list, anchor) {
  const around = anchor.getBoundingClientRect()
  const { width, height } = list.getBoundingClientRect()
  const below = around.bottom + 4
  const rightToLeft = getComputedStyle(anchor).direction === 'rtl'
  const end = list.dataset.align === 'end'
  const wanted = end === rightToLeft ? around.left : around.right - width
  list.style.top = `${below + height > innerHeight - 8 ? Math.max(8, around.top - height - 4) : below}px`
  list.style.left = `${Math.min(Math.max(8, wanted), innerWidth - width - 8)}px`
}

/** Move the focus among `items` by arrow keys, round at the ends; true when the key was one. */
export function walk(event, items) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step || !items.length) return false
  event.preventDefault()
  items.at((items.indexOf(document.activeElement) + step + items.length) % items.length).focus()
  return true
}
