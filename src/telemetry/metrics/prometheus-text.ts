import type { Family, Histogram, Unit } from './family.ts'

/** The text format that every Prometheus reads. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** Also of families without a sample it says that there are such. */
export function renderPrometheus(families: readonly Family[]): string {
  const lines: string[] = []
  for (const family of families) writeFamily(lines, family)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** The name as Prometheus has it: `gen_ai.server.request.duration` in seconds is `gen_ai_server_request_duration_seconds`. */
export function prometheusName({
  name,
  kind,
  unit,
  isVerbatim,
}: Pick<Family, 'name' | 'kind' | 'unit' | 'isVerbatim'>) {
  if (isVerbatim) return name
  const words = labelName(name) + unitEnding(unit, kind)
  return kind === 'counter' ? `${words}_total` : words
}

export function labelName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_')
}

function unitEnding(unit: Unit, kind: Family['kind']): string {
  if (unit === 's') return '_seconds'
  if (unit === 'ms') return '_milliseconds'
  if (unit === 'By') return '_bytes'
  return unit === '1' && kind === 'gauge' ? '_ratio' : ''
}

function writeFamily(lines: string[], family: Family): void {
  const name = prometheusName(family)
  const labels = family.labels.map(labelName)
  lines.push(
    `# HELP ${name} ${family.help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`,
    `# TYPE ${name} ${family.kind}`,
  )
  for (const sample of family.samples) {
    const pairs = labels.map((label, i) => `${label}="${escapeValue(sample.labels[i] ?? '')}"`).join(',')
    if ('histogram' in sample) writeHistogram(lines, name, pairs, sample.histogram)
    else lines.push(`${name}${pairs === '' ? '' : `{${pairs}}`} ${writeNumber(sample.value)}`)
  }
}

function writeHistogram(lines: string[], name: string, pairs: string, histogram: Histogram): void {
  const { bounds, counts, sum, count } = histogram
  const before = pairs === '' ? '' : `${pairs},`
  const all = pairs === '' ? '' : `{${pairs}}`
  let below = 0
  bounds.forEach((bound, i) => {
    below += counts[i] as number
    lines.push(`${name}_bucket{${before}le="${bound}"} ${below}`)
  })
  lines.push(
    `${name}_bucket{${before}le="+Inf"} ${count}`,
    `${name}_sum${all} ${writeNumber(sum)}`,
    `${name}_count${all} ${count}`,
  )
}

function writeNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

function escapeValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value
}
