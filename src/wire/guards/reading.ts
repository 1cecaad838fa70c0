import { Fault } from '../../core/fault.ts'
import { type FilterCategory, filterCategories } from '../../core/filter/categories.ts'
import type { Finding } from '../../core/filter/engine.ts'
import { type EngineOptions, recordOption } from './option-row.ts'
import { binarySeverity } from './severity.ts'

/** What an answer of an engine says. */
export type Reading = {
  readonly findings: readonly Finding[]
  /** Labels that the engine gave and that mean none of our categories: told, never filtered on. */
  readonly otherLabels: readonly string[]
}

export const nothingFound: Reading = { findings: [], otherLabels: [] }

export function mergeReadings(readings: readonly Reading[]): Reading {
  return {
    findings: readings.flatMap(({ findings }) => findings),
    otherLabels: [...new Set(readings.flatMap(({ otherLabels }) => otherLabels))],
  }
}

/** An answer that says nothing we can rely on. `text` is ours and quotes nothing of the answer. */
export function unreadable(text: string): Fault {
  return new Fault('upstream-failed', text)
}

/**
 * What a label means. `attack` is `jailbreak` of a caller's own words and `indirect_attack` of what they quote, and nothing elsewhere;
 * `none` is a label that is known and means no category of ours.
 */
export type LabelTarget = FilterCategory | 'attack' | 'none'

/** Targets by label, as `labelKey` writes it. */
export type LabelTable = ReadonlyMap<string, readonly LabelTarget[]>

/** Labels without regard to case, and to how their words are joined. */
export function labelKey(label: string): string {
  return label
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, '-')
}

/** The table of an engine, with what the operator wants otherwise. */
export function makeLabelTable(
  rows: Readonly<Record<string, LabelTarget | readonly LabelTarget[]>>,
  options: EngineOptions,
): LabelTable {
  const table = new Map<string, readonly LabelTarget[]>()
  for (const [label, target] of Object.entries({ ...rows, ...overrides(options) })) {
    table.set(labelKey(label), typeof target === 'string' ? [target] : target)
  }
  return table
}

function overrides(options: EngineOptions): Record<string, LabelTarget> {
  return recordOption(options, 'labels') as Record<string, LabelTarget>
}

export type Sighting = {
  /** Of 0 to 7, where the category has severities. */
  readonly severity: number
  readonly score?: number | undefined
  readonly span?: Finding['span']
  /** The type of personal data, list or topic; a topic or list without one is named by its label. */
  readonly id?: string | undefined
}

/** What one label means. `attack` is the category of attacks here. Undefined for a label that the table does not know. */
export function readLabel(
  label: string,
  table: LabelTable,
  attack: FilterCategory | undefined,
  { severity, score, span, id }: Sighting,
): Reading | undefined {
  const targets = table.get(labelKey(label))
  if (!targets) return undefined
  const rule = label.trim()
  const findings: Finding[] = []
  for (const target of targets) {
    const category = target === 'attack' ? attack : target
    if (category === undefined || category === 'none') continue
    const { kind } = filterCategories[category]
    findings.push({
      category,
      severity: kind === 'severity' ? severity : severity > 0 ? binarySeverity : 0,
      rule,
      ...(score !== undefined && { score }),
      ...(span && { span }),
      ...((id ?? (kind === 'list' ? rule : undefined)) !== undefined && { id: id ?? rule }),
    })
  }
  return {
    findings: findings.filter((finding) => finding.severity > 0),
    otherLabels: findings.length > 0 ? [] : [rule],
  }
}
