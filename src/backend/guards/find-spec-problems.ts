import { filterCategories } from '../../core/filter/categories.ts'
import type { OptionRow } from '../../wire/guards/option-row.ts'
import { type EngineSpec, engineKinds, guardProfiles, optionRows } from './kinds.ts'

export type SpecProblem = { readonly field: string; readonly text: string }

/**
 * What is wrong with an engine's description, each naming the field and what is allowed; empty when it can work. The secret itself is
 * not looked at, so that this runs before it is resolved.
 */
export function findSpecProblems(
  spec: Omit<EngineSpec, 'credential' | 'kind' | 'profile'> & {
    readonly kind: string
    readonly profile?: string | undefined
  },
  hasCredential: boolean,
): readonly SpecProblem[] {
  if (!Object.hasOwn(engineKinds, spec.kind)) {
    return [{ field: 'kind', text: `"${spec.kind}" is none of ${listOf(Object.keys(engineKinds))}` }]
  }
  const kind = spec.kind as EngineSpec['kind']
  const row = engineKinds[kind]
  const problems: SpecProblem[] = []
  const judge = (field: 'deployment' | 'url' | 'credential', isGiven: boolean) => {
    if (row[field] === 'required' && !isGiven) problems.push({ field, text: `is needed by an engine of kind ${kind}` })
    if (row[field] === 'none' && isGiven) problems.push({ field, text: `is not for an engine of kind ${kind}` })
  }
  judge('deployment', Boolean(spec.deployment))
  judge('url', Boolean(spec.url))
  judge('credential', hasCredential)
  if (spec.url && !isHttpUrl(spec.url))
    problems.push({
      field: 'url',
      text: 'must be a URL that begins with http:// or https:// and holds no name or password',
    })
  if (spec.apiVersion !== undefined) {
    if (row.apiVersion === undefined)
      problems.push({ field: 'apiVersion', text: `is not for an engine of kind ${kind}` })
    else if (!/^[\w.-]+$/.test(spec.apiVersion))
      problems.push({ field: 'apiVersion', text: 'is no version such as 2024-09-01' })
  }
  if (kind === 'guard') {
    if (!spec.profile || !Object.hasOwn(guardProfiles, spec.profile)) {
      const given = spec.profile ? `"${spec.profile}" is none of` : 'is needed: one of'
      problems.push({ field: 'profile', text: `${given} ${listOf(Object.keys(guardProfiles))}` })
      return problems
    }
  } else if (spec.profile) problems.push({ field: 'profile', text: 'is for engines of kind guard only' })
  for (const [field, value] of [
    ['maxChars', spec.maxChars],
    ['deadlineMs.prompt', spec.deadlineMs?.prompt],
    ['deadlineMs.window', spec.deadlineMs?.window],
  ] as const) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      problems.push({ field, text: `${value} is no whole number of at least 1` })
    }
  }
  return [
    ...problems,
    ...findOptionProblems({ kind, profile: spec.profile as EngineSpec['profile'] }, spec.options ?? {}),
  ]
}

function findOptionProblems(
  of: Pick<EngineSpec, 'kind' | 'profile'>,
  options: NonNullable<EngineSpec['options']>,
): SpecProblem[] {
  const rows = optionRows(of)
  const problems: SpecProblem[] = []
  for (const [name, value] of Object.entries(options)) {
    const field = `options.${name}`
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined
    if (!row) {
      const allowed = Object.keys(rows)
      problems.push({ field, text: allowed.length > 0 ? `is none of ${listOf(allowed)}` : 'there are no options here' })
      continue
    }
    const text = findValueProblem(row, value)
    if (text) problems.push({ field, text })
  }
  for (const [name, row] of Object.entries(rows)) {
    if (row.isRequired && options[name] === undefined)
      problems.push({ field: `options.${name}`, text: `is needed: ${row.about}` })
  }
  return problems
}

function findValueProblem(row: OptionRow, value: unknown): string | undefined {
  switch (row.type) {
    case 'text':
      if (typeof value !== 'string' || value === '') return 'must be a text'
      if (row.pattern && !row.pattern.test(value)) return `must be ${row.about}`
      return row.allowed && !row.allowed.includes(value) ? `"${value}" is none of ${listOf(row.allowed)}` : undefined
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')
        ? undefined
        : 'must be a list of texts'
    case 'number': {
      const { least = 0, most = Number.MAX_SAFE_INTEGER } = row
      const isRight = Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      return isRight ? undefined : `must be a whole number of ${least} to ${most}`
    }
    case 'label-map': {
      const allowed = [...Object.keys(filterCategories), 'none']
      const isRight = isPlain(value) && Object.values(value).every((name) => allowed.includes(name as string))
      return isRight ? undefined : `must give each label one of ${listOf(allowed)}`
    }
    case 'calibration': {
      if (!isPlain(value) || Object.keys(value).sort().join() !== 'high,low,medium')
        return 'must give low, medium and high'
      const { low, medium, high } = value as Record<string, unknown>
      const isRising = [0, low, medium, high, 1].every(
        (bound, index, all) => typeof bound === 'number' && (index === 0 || bound >= (all[index - 1] as number)),
      )
      return isRising ? undefined : 'must give low, medium and high as numbers of 0 to 1, none below the one before'
    }
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A secret in the address would be written wherever the address is. */
function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}

function listOf(names: readonly string[]): string {
  return names.join(', ')
}
