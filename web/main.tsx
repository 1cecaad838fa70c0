import './app/shell.css'
import './ui/ui.css'
import './pages/pages.css'
import './pages/playground/playground.css'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'

createRoot(document.getElementById('portal') as HTMLElement).render(<App />)
