import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { renderCompatibility } from './compatibility.ts'
import { renderDashboard } from './dashboard.ts'
import { renderErrors } from './errors.ts'
import { renderMetrics } from './metrics.ts'
import { renderRoles } from './roles.ts'

/** The pages that are made from the code, by their path in the repository. */
export const pages: Readonly<Record<string, () => string>> = {
  'docs/reference/compatibility.md': renderCompatibility,
  'docs/reference/errors.md': renderErrors,
  'docs/reference/metrics.md': renderMetrics,
  'docs/reference/roles.md': renderRoles,
  'deploy/grafana/ponto.json': renderDashboard,
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '../..')
  for (const [path, render] of Object.entries(pages)) writeFileSync(join(root, path), render())
}
