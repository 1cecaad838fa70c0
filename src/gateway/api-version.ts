import { Fault } from '../core/fault.ts'
import type { ServerRoute } from '../wire/wire.ts'

const pattern = /^(\d{4}-\d{2}-\d{2}(-preview)?|v1|preview|latest)$/

/**
 * Any well-formed version is taken, released or not: frameworks invent their own. Only its absence is refused, and only where the
 * hosted services refuse it.
 */
export function checkApiVersion(version: string | null, rule: ServerRoute['apiVersion'], path: string): void {
  if (version === null || version === '') {
    if (rule === 'optional') return
    throw new Fault(
      'api-version-missing',
      `Resource not found: the query parameter api-version is missing. Add for example ?api-version=${exampleFor(path)}.`,
      { param: 'api-version' },
    )
  }
  if (pattern.test(version)) return
  throw new Fault(
    'api-version-invalid',
    `API version not supported: got ${JSON.stringify(version.slice(0, 64))}, expected YYYY-MM-DD, YYYY-MM-DD-preview, v1, preview or latest.`,
    { param: 'api-version' },
  )
}

function exampleFor(path: string): string {
  if (path.startsWith('/openai')) return '2024-10-21, or call /openai/v1, which needs none'
  return path.startsWith('/contentsafety') ? '2024-09-01' : '2024-05-01-preview'
}
