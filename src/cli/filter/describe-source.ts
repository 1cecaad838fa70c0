import type { HeldView } from '../../control/api.ts'

/** Where a policy, blocklist, topic or engine was made. */
export function describeSource({ source }: Pick<HeldView, 'source'>): string {
  switch (source.kind) {
    case 'file':
      return `${source.file}:${source.line}`
    case 'system':
      return 'Ponto'
    case 'stored':
      return 'API or CLI'
  }
}
