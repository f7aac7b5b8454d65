// Builds app/ui/static/dist: one script, one stylesheet, lazy chunks and the icon sprite.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vite'

const root = import.meta.dirname
const repository = join(root, '../../..')
const icons = join(root, 'node_modules/lucide-static/icons')

/** Every file below `folder` whose name ends with one of `endings`. */
function files(folder, endings) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
}

/** Names written as icon('x'), icon="x", icon: x in templates, components and page code, plus icons.txt. */
function usedIcons() {
  const sources = [
    ...files(join(repository, 'app/ui/templates'), ['.html']),
    ...files(join(repository, 'app/objects'), ['.yaml']),
    ...files(join(repository, 'app'), ['.py']),
    ...files(join(repository, 'tenants'), ['.py']),
  ]
  const names = new Set(readFileSync(join(root, 'icons.txt'), 'utf8').split(/\s+/).filter(Boolean))
  for (const source of sources)
    for (const [, name] of readFileSync(source, 'utf8').matchAll(/icon["']?\s*[=:(,]\s*["']?([a-z][a-z0-9-]+)/g)) names.add(name)
  return [...names].filter((name) => existsSync(join(icons, `${name}.svg`))).sort()
}

/** One SVG of symbols, so that a page refers to an icon as <use href="…sprite.svg#name">. */
function sprite() {
  return {
    name: 'icon-sprite',
    generateBundle() {
      const symbols = usedIcons().map((name) => {
        const svg = readFileSync(join(icons, `${name}.svg`), 'utf8')
        const shapes = svg.replace(/<!--.*?-->/gs, '').replace(/<svg[^>]*>|<\/svg>/g, '').replace(/\s+/g, ' ').trim()
        return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`
      })
      const source = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>`
      const hash = createHash('sha256').update(source).digest('hex').slice(0, 10)
      this.emitFile({ type: 'asset', fileName: `assets/sprite-${hash}.svg`, source })
    },
  }
}

export default defineConfig({
  root,
  base: '/static/dist/',
  plugins: [tailwindcss(), sprite()],
  build: {
    outDir: '../static/dist',
    emptyOutDir: true,
    manifest: true,
    assetsInlineLimit: 0,
    // the polyfill would be inline code, which the content security policy refuses
    modulePreload: { polyfill: false },
    rollupOptions: { input: join(root, 'src/app.js') },
  },
})
