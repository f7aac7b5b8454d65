// A condition's rows as they stand in a page: the model the server reads, and what it has to say of each.

/** Where the item `at` of a group stands. */
function join(path, at) {
  return path ? `${path}.${at}` : String(at)
}

/** The group at a place of a model. */
function at(model, path) {
  return path ? path.split('.').reduce((group, step) => group.items[Number(step)], model) : model
}

/** A group as it stands. */
export function groupOf(element) {
  const list = [...element.children].find((child) => child.matches('[data-cond-items]'))
  const items = [...(list?.children ?? [])].map((item) => {
    const line = item.matches('[data-cond]') ? item : item.firstElementChild
    return line.dataset.cond === 'group' ? groupOf(line) : itemOf(line)
  })
  return { join: element.querySelector('[data-key=join]').value, items }
}

function itemOf(line) {
  const of = (key) => line.querySelector(`[data-key=${key}]`)
  if (line.dataset.cond === 'part') return { text: of('part').value }
  const { fresh } = line.dataset
  if (fresh === 'field') return { field: of('field').value, op: '' }
  const item = { field: of('field').value, op: of('op')?.value ?? '' }
  if (fresh === 'form') return { ...item, value: { form: of('form').value } }
  const boxes = [...line.querySelectorAll('[data-key=items]')]
  const found = line.querySelector('[data-condition-found] input[type=hidden]')
  if (boxes.length) {
    const items = boxes[0].type === 'checkbox' ? boxes.filter((box) => box.checked).map((box) => box.value) : boxes[0].value.split('\n').filter((one) => one.trim())
    item.value = { form: 'list', items }
  } else if (of('form')) {
    item.value = { form: of('form').value, text: found?.value ?? of('text')?.value ?? '', unit: of('unit')?.value ?? '' }
  }
  return item
}

const MARKS = { met: 'Met', unmet: 'Not met', unknown: 'Unknown' }

/** Whether the chosen record meets it. */
function mark(place, state) {
  if (!place) return
  place.hidden = !state
  place.dataset.state = state ?? ''
  place.textContent = state ? MARKS[state] : ''
}

/** What is wrong with a row, said at it. */
function fault(line, message, key) {
  const place = line.querySelector('[data-condition-error]')
  place.hidden = !message
  place.textContent = (message ?? '').replaceAll('`', '')
  place.id = `${key.replaceAll('.', '-')}-error`
  for (const control of line.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    if (message) control.setAttribute('aria-describedby', place.id)
    else control.removeAttribute('aria-describedby')
  }
}

/** What is wrong with a text, and near what. */
export function showProblem(place, problem) {
  place.hidden = !problem
  place.replaceChildren()
  if (!problem) return
  place.append(problem.message.replaceAll('`', ''))
  if (!problem.position || !problem.here) return
  const code = document.createElement('code')
  const here = document.createElement('b')
  here.className = 'underline decoration-2 underline-offset-2'
  here.textContent = problem.here
  code.append(problem.before, here)
  place.append(' Near ', code)
}

/** Another row, or group, at the end of the group at `path`; where it stands. */
export function added(model, path, group = false) {
  const there = at(model, path)
  const row = { field: '', op: '' }
  there.items.push(group ? { join: there.join === 'any' ? 'all' : 'any', items: [row] } : row)
  const place = join(path, there.items.length - 1)
  return group ? `${place}.0` : place
}

/** The item at `path` taken away; where its neighbour stands. */
export function removed(model, path) {
  const steps = path.split('.')
  const last = Number(steps.pop())
  const { items } = at(model, steps.join('.'))
  items.splice(last, 1)
  return items.length ? join(steps.join('.'), Math.min(last, items.length - 1)) : steps.join('.')
}

/** Every box of fields gets all of them; the server sends them once. */
export function fillFields(place) {
  const { content } = place.querySelector('[data-condition-fields]')
  for (const select of place.querySelectorAll('select[data-key=field]')) {
    const [chosen] = select.options
    const { value } = chosen
    const options = content.cloneNode(true)
    if ([...options.querySelectorAll('option')].some((option) => option.value === value)) chosen.remove()
    select.append(options)
    select.value = value
  }
}

/** The control `key` of the item at `path`, or what comes next to it. */
export function focusAt(builder, path, key) {
  const line = builder.querySelector(`[data-path="${path}"]`)
  const control = line?.querySelector(`[data-key=${key}]`) ?? line?.querySelector('[data-key]:not([type=hidden])')
  const wanted = control && !control.closest('[hidden]') ? control : builder.querySelector('button')
  wanted?.focus()
}

const WHOLE = {
  met: 'This record meets it.',
  unmet: 'This record does not meet it.',
  unknown: 'Unknown: something it asks for is empty.',
}

/** What is wrong (not yet at the row that was only `begun`) and what is met, at each row and of the whole; the first wrong. */
export function showState(builder, state, key, begun) {
  const problems = state.problems ?? {}
  for (const line of builder.querySelectorAll('[data-cond]')) {
    const { path } = line.dataset
    mark(line.querySelector('[data-condition-mark]'), state.marks?.[path])
    if (line.dataset.cond !== 'group') fault(line, path === begun ? '' : problems[path], `${key}-${path}`)
  }
  const whole = builder.querySelector('[data-condition-whole]')
  if (whole) whole.textContent = WHOLE[state.marks?.['']] ?? ''
  return Object.values(problems)[0]
}
