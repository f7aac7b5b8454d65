import './app.css'
import './start.js'
import 'htmx.org/dist/ext/hx-csp.js'
import { Application } from '@hotwired/stimulus'
import './failures.js'
import './asking.js'

const application = Application.start()
for (const [path, module] of Object.entries(import.meta.glob('./controllers/*.js', { eager: true })))
  application.register(path.match(/([\w-]+)\.js$/)[1], module.default)
