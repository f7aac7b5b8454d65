import { Controller } from '@hotwired/stimulus'

/**
 * Formatted text in a contenteditable box. Its markup is only ever read here (the server sanitises it); nothing is
 * written into the page from a string, as Trusted Types demand: pasted text goes in as text.
 */
export default class extends Controller {
  static targets = ['editor', 'value', 'tool', 'linker', 'address']

  connect() {
    document.execCommand('defaultParagraphSeparator', false, 'p')
    this.look()
  }

  changed() {
    const empty = !this.editorTarget.textContent.trim()
    this.valueTarget.value = empty ? '' : this.editorTarget.getHTML()
    this.look()
  }

  keep(event) {
    event.preventDefault()
  }

  run({ params }) {
    this.editorTarget.focus()
    document.execCommand(params.command)
    this.changed()
  }

  paste(event) {
    event.preventDefault()
    document.execCommand('insertText', false, event.clipboardData.getData('text/plain'))
  }

  look() {
    if (!this.editorTarget.contains(getSelection()?.anchorNode)) return
    for (const tool of this.toolTargets) tool.setAttribute('aria-pressed', String(document.queryCommandState(tool.dataset.richTextCommandParam)))
  }

  askLink() {
    const chosen = getSelection()
    this.range = chosen.rangeCount && this.editorTarget.contains(chosen.anchorNode) ? chosen.getRangeAt(0).cloneRange() : null
    this.showAddress(this.addressTarget.hidden)
  }

  addressKey(event) {
    if (event.key !== 'Enter' && event.key !== 'Escape') return
    event.preventDefault()
    event.stopPropagation()
    const address = this.addressTarget.value.trim()
    this.showAddress(false)
    this.editorTarget.focus()
    if (event.key === 'Escape' || !address || !this.range) return
    getSelection().removeAllRanges()
    getSelection().addRange(this.range)
    const target = /^(https?:|mailto:|tel:)/i.test(address) ? address : `https://${address}`
    if (this.range.collapsed) {
      document.execCommand('insertText', false, address)
      for (let n = 0; n < address.length; n++) getSelection().modify('extend', 'backward', 'character')
    }
    document.execCommand('createLink', false, target)
    this.changed()
  }

  showAddress(open) {
    this.addressTarget.hidden = !open
    this.addressTarget.value = ''
    this.linkerTarget.setAttribute('aria-expanded', String(open))
    if (open) this.addressTarget.focus()
  }
}
