import { isJsonObject } from '../../core/json.ts'

/** Fields that change with every write and say nothing. */
const noise: ReadonlySet<string> = new Set(['etag', 'updatedAt', 'createdAt'])
const mostFields = 4
const mostCharacters = 40

/** What differs between two documents, in a line: `sku.capacity 10 -> 20, raiPolicyName (none) -> "Strict"`. */
export function describeChange(before: unknown, after: unknown): string {
  const changes = [...listChanges(before, after, '')]
  const shown = changes.slice(0, mostFields).join(', ')
  return changes.length > mostFields ? `${shown} and ${changes.length - mostFields} more` : shown
}

function* listChanges(before: unknown, after: unknown, path: string): Generator<string> {
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (path === '' && noise.has(name)) continue
      yield* listChanges(before[name], after[name], path === '' ? name : `${path}.${name}`)
    }
  } else if (JSON.stringify(before) !== JSON.stringify(after)) yield `${path} ${show(before)} -> ${show(after)}`
}

function show(value: unknown): string {
  if (value === undefined) return '(none)'
  const text = JSON.stringify(value)
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters - 3)}...` : text
}
