import type { FilterCategory } from '../../../core/filter/categories.ts'
import type { Finding } from '../../../core/filter/engine.ts'
import type { Reading } from '../reading.ts'

export const harms: readonly FilterCategory[] = ['hate', 'sexual', 'violence', 'self_harm']

/** What a model means that says "unsafe" and not of which kind: it may be any of the harms asked for, and counts as each. */
export function anyHarm(asked: ReadonlySet<FilterCategory>, severity: number, rule: string, score?: number): Reading {
  if (severity === 0) return { findings: [], otherLabels: [] }
  const findings = harms
    .filter((category) => asked.has(category))
    .map((category): Finding => ({ category, severity, rule, ...(score !== undefined && { score }) }))
  return { findings, otherLabels: findings.length > 0 ? [] : [rule] }
}
