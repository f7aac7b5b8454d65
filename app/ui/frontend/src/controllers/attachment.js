import { Controller } from '@hotwired/stimulus'

const LOST = 'The file could not be sent. Look at the connection and try again.'
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp']

/** Bytes as people say them, in the page's language. */
function sized(bytes) {
  const [unit, scale] = bytes < 999_500 ? ['kilobyte', 1e3] : ['megabyte', 1e6]
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: 'unit', unit, maximumSignificantDigits: 2 })
  return format.format(Math.max(bytes / scale, 0.1))
}

/**
 * A file of a form: sent by itself as soon as it is chosen or dropped; the form then holds its id. A form that is
 * saved while its file is on the way is saved when the file has come; stopping the file, or its failure, calls that off.
 */
export default class extends Controller {
  static targets = ['value', 'title', 'held', 'picture', 'icon', 'name', 'size', 'drop', 'ask', 'input', 'progress', 'sending', 'bar', 'later', 'said', 'problem', 'reason']
  static values = { picture: Boolean, limit: Number }

  connect() {
    this.form = this.element.closest('form')
    this.hold = (event) => {
      if (!this.request || event.target !== this.form) return
      event.preventDefault()
      event.stopImmediatePropagation()
      this.wait(event)
    }
    document.addEventListener('submit', this.hold, true)
  }

  disconnect() {
    document.removeEventListener('submit', this.hold, true)
    this.request?.abort()
  }

  over(event) {
    event.preventDefault()
    this.dropTarget.dataset.over = 'true'
  }

  out() {
    this.dropTarget.dataset.over = 'false'
  }

  drop(event) {
    event.preventDefault()
    this.out()
    this.send(event.dataTransfer.files[0])
  }

  chosen() {
    this.send(this.inputTarget.files[0])
    this.inputTarget.value = ''
  }

  send(file) {
    if (!file) return
    this.request?.abort()
    this.fail('')
    // a server that refuses by the length alone hangs up, which a browser tells as a lost connection
    if (this.limitValue && file.size > this.limitValue) return this.fail(`A file may have at most ${sized(this.limitValue)}.`)
    const body = new FormData()
    body.append('file', file)
    const request = (this.request = new XMLHttpRequest())
    request.open('POST', '/api/v1/files')
    request.responseType = 'json'
    request.setRequestHeader('X-CSRF-Token', document.querySelector('meta[name=csrf-token]')?.content ?? '')
    request.upload.onprogress = (event) => event.lengthComputable && (this.barTarget.value = (100 * event.loaded) / event.total)
    request.onload = () => this.sent(request)
    request.onerror = () => this.ended(LOST)
    request.onabort = () => this.ended('')
    this.barTarget.value = 0
    this.busy(true)
    this.sendingTarget.textContent = file.name
    this.saidTarget.textContent = `Sending ${file.name} …`
    request.send(body)
  }

  sent({ status, response }) {
    if (status !== 201) return this.ended(response?.detail ?? LOST)
    if (this.pictureValue && !PICTURES.includes(response.type)) return this.ended(`${response.name} is no picture that can be shown.`)
    const { saving } = this
    this.ended('')
    this.take(response)
    if (saving) return this.form.requestSubmit(saving.submitter?.form === this.form ? saving.submitter : null)
    this.saidTarget.textContent = `${response.name} is here; save to keep it.`
  }

  /** ``saving``: the submission that is made once the file is here, or null. */
  wait(saving) {
    this.saving = saving
    this.laterTarget.hidden = !saving
    if (saving) this.saidTarget.textContent = this.laterTarget.textContent
  }

  stop() {
    this.request?.abort()
    this.inputTarget.focus()
  }

  remove() {
    this.take(null)
    this.saidTarget.textContent = 'The file is taken out; save to keep it so.'
    this.inputTarget.focus()
  }

  /** The sending has ended, in whichever way. */
  ended(problem) {
    this.request = null
    this.wait(null)
    this.busy(false)
    this.sendingTarget.textContent = ''
    this.saidTarget.textContent = ''
    this.fail(problem)
  }

  busy(yes) {
    this.progressTarget.hidden = !yes
    if (!this.form) return
    if (yes) this.form.dataset.uploading = 'true'
    else delete this.form.dataset.uploading
  }

  /** Let the form hold ``file`` ({id, name, type, size}), or none. */
  take(file) {
    const shown = Boolean(file && PICTURES.includes(file.type))
    this.valueTarget.value = file?.id ?? ''
    this.titleTarget.value = file?.name ?? ''
    this.heldTarget.hidden = !file
    this.nameTarget.textContent = file?.name ?? ''
    this.sizeTarget.textContent = file ? sized(file.size) : ''
    this.pictureTarget.hidden = !shown
    this.iconTarget.hidden = shown
    if (shown) this.pictureTarget.src = `/files/${file.id}`
    this.askTarget.textContent = file ? 'Choose or drop another' : 'Choose or drop a file'
    this.valueTarget.dispatchEvent(new Event('change', { bubbles: true }))
  }

  fail(message) {
    this.problemTarget.hidden = !message
    this.reasonTarget.textContent = message
  }
}
