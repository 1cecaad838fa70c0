import { InvalidArgumentError } from 'commander'
import type { Json, JsonObject } from '../../core/json.ts'

/** How conditions are written in a flag. */
export const conditionForm = 'FIELD=TEXT,TEXT or FIELD=MIN..MAX'

const textFields = ['model', 'format', 'version', 'sku', 'raiPolicyName', 'backendLabels'] as const
const numberFields = ['capacity', 'tokensPerMinute', 'requestsPerMinute'] as const

/** Adds `sku=Standard,Global*`, `capacity=1..100`, `capacity=..100` or `tags.team=research` to what was read before. */
export function parseCondition(text: string, previous: JsonObject = {}): JsonObject {
  const { field, value } = splitAssignment(text)
  if (field.startsWith('tags.')) {
    const tags = (previous.tags ?? {}) as JsonObject
    return { ...previous, tags: { ...tags, [field.slice('tags.'.length)]: value.split(',') } }
  }
  if ((textFields as readonly string[]).includes(field)) return { ...previous, [field]: value.split(',') }
  if ((numberFields as readonly string[]).includes(field)) return { ...previous, [field]: parseRange(value) }
  const known = [...textFields, ...numberFields, 'tags.NAME'].join(', ')
  throw new InvalidArgumentError(`"${field}" is no field; there are ${known}.`)
}

/** Adds `raiPolicyName=Strict`, `sku=Standard`, `sku.capacity=10` or `tags.team=it` to what was read before. */
export function parseDefault(text: string, previous: JsonObject = {}): JsonObject {
  const { field, value } = splitAssignment(text)
  const given: Json = /^\d{1,9}$/.test(value) && !field.startsWith('tags.') ? Number(value) : value
  const path = field === 'sku' ? 'sku.name' : field
  const cut = path.indexOf('.')
  if (cut < 0) return { ...previous, [path]: given }
  const outer = path.slice(0, cut)
  return { ...previous, [outer]: { ...((previous[outer] ?? {}) as JsonObject), [path.slice(cut + 1)]: given } }
}

/** `sku=Standard,Global*; capacity=..100`, as it is shown. */
export function describeConditions(conditions: object | undefined): string {
  return Object.entries(conditions ?? {})
    .flatMap(([field, value]: [string, unknown]) => {
      if (Array.isArray(value)) return [`${field}=${value.join(',')}`]
      if (field === 'tags') return Object.entries(value as object).map(([tag, texts]) => `tags.${tag}=${texts}`)
      if (field === 'sku') return [`sku=${(value as { name: string; capacity: number }).name}`]
      if (typeof value !== 'object' || value === null) return [`${field}=${value}`]
      const { min, max } = value as { min?: number; max?: number }
      return [`${field}=${min ?? ''}..${max ?? ''}`]
    })
    .join('; ')
}

function splitAssignment(text: string): { readonly field: string; readonly value: string } {
  const cut = text.indexOf('=')
  if (cut < 1 || cut === text.length - 1) throw new InvalidArgumentError(`It must be ${conditionForm}.`)
  return { field: text.slice(0, cut).trim(), value: text.slice(cut + 1).trim() }
}

function parseRange(text: string): JsonObject {
  const match = /^(\d{1,12})?\.\.(\d{1,12})?$/.exec(text)
  if (!match || (match[1] === undefined && match[2] === undefined)) {
    throw new InvalidArgumentError(`"${text}" is no range: ..100, 10.. or 10..100.`)
  }
  return {
    ...(match[1] !== undefined && { min: Number(match[1]) }),
    ...(match[2] !== undefined && { max: Number(match[2]) }),
  }
}
