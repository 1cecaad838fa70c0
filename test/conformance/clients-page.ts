import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type SuiteReport, tabulate } from './report.ts'

const root = resolve(import.meta.dir, '../..')
const page = 'docs/reference/clients.md'

const introduction = `# Clients

What the vendors' own clients and the frameworks on top of them come to against a running server: unmodified packages
from their registries, over HTTPS with the server's own certificate authority, with the addresses, the key and the trust that \`ponto env\`
prints. Most checks go through to a scripted upstream that echoes, calls tools, refuses, limits, stalls and breaks off; some go to the
built-in model.
The same client stands here once for each of its parts and runtimes.

Written by \`npm run test:sdks -- --write-docs\`; not by hand.
`

/** Writes the page about clients and gives its path from the root of the project. */
export function writeClientsPage(reports: readonly SuiteReport[]): string {
  const [titles = [], ...rows] = tabulate(reports).map((row) => row.map(escapeCell))
  // Numbers are flush right.
  const rules = titles.map((title) => (/^(checks|passed|failed|skipped)$/.test(title) ? '---:' : '---'))
  const table = [titles, rules, ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('')
  writeFileSync(join(root, page), `${introduction}\n${table}`)
  return page
}

function escapeCell(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
