import { Controller } from '@hotwired/stimulus'

/** Suggests a name (serial_number) and what several are called, as the label is typed, until somebody types them. */
export default class extends Controller {
  static targets = ['label', 'name', 'plural']

  connect() {
    this.own = new Set(this.nameTarget.value ? [this.nameTarget] : [])
  }

  touched({ currentTarget }) {
    if (currentTarget.value) this.own.add(currentTarget)
    else this.own.delete(currentTarget)
  }

  suggest() {
    const label = this.labelTarget.value.trim()
    if (!this.own.has(this.nameTarget)) this.nameTarget.value = named(label)
    if (this.hasPluralTarget && !this.own.has(this.pluralTarget)) this.pluralTarget.value = label && several(label)
  }
}

function named(label) {
  const plain = label.normalize('NFKD').replace(/[^\x20-\x7e]/g, '').toLowerCase()
  return plain.replace(/[^a-z0-9]+/g, '_').replace(/^[0-9_]+|_+$/g, '').slice(0, 50).replace(/_$/, '')
}

function several(label) {
  if (/[^aeiou]y$/i.test(label)) return `${label.slice(0, -1)}ies`
  return /(s|x|ch|sh)$/i.test(label) ? `${label}es` : `${label}s`
}
