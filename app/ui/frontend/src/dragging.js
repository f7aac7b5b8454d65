const touch = { delay: 120, delayOnTouchOnly: true }
const never = { filter: 'button, [data-fixed]', preventOnFilter: false }

/** Cards of a list can be dragged into another one, which is then told. Nothing when it is not wanted any more by then. */
export async function dragging(list, wanted, moved) {
  const { default: Sortable } = await import('sortablejs')
  if (!wanted()) return undefined
  const onEnd = ({ item, from, to, oldIndex }) => from !== to && moved(item, to, from, from.children[oldIndex])
  // a card on its way can't be taken up again, so where nothing is to move nothing may be on its way either
  const animation = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 140
  return new Sortable(list, { group: 'cards', animation, draggable: '[data-card]', onEnd, ...touch, ...never })
}
