import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import { judgeItems } from './list-matcher.ts'
import { filterNameSchema, tagsSchema } from './policy-spec.ts'

export const maxItems = 10_000
export const maxPatternChars = 1_000

const patternSchema = z
  .string()
  .max(maxPatternChars)
  .refine((text) => text.trim() !== '' && text.isWellFormed(), 'a text with something in it, without half characters')

export const itemSchema = z.strictObject({
  /** Made of the pattern when absent, so that adding the same again changes nothing. */
  name: filterNameSchema.optional(),
  pattern: patternSchema,
  isRegex: z.boolean().default(false),
})

export const blocklistSchema = z.strictObject({
  name: filterNameSchema,
  description: z.string().max(1024).optional(),
  tags: tagsSchema.optional(),
  items: z.array(itemSchema).max(maxItems).optional(),
  /** The same as items that are no patterns, in short. */
  terms: z.array(patternSchema).max(maxItems).optional(),
})

export type BlocklistInput = z.input<typeof blocklistSchema>
export type ItemInput = z.output<typeof itemSchema>

export type BlocklistItem = { readonly name: string; readonly pattern: string; readonly isRegex: boolean }

/** `items` are sorted by name without regard to case, and no two have the same. */
export type BlocklistSpec = {
  readonly name: string
  readonly description?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly items: readonly BlocklistItem[]
}

type Problems = { readonly problems: readonly DocumentProblem[] }

/**
 * Judges a blocklist as an operator wrote it. Without `items` and `terms` it has those of `current`. Shared by the configuration file and
 * the management API.
 */
export function readBlocklist(input: unknown, current?: BlocklistSpec): { readonly spec: BlocklistSpec } | Problems {
  const parsed = parseDocument(blocklistSchema, input)
  if ('problems' in parsed) return parsed
  const { items, terms, ...rest } = parsed.data
  if (!items && !terms) return { spec: { ...rest, items: current?.items ?? [] } }
  const given = [
    ...(items ?? []).map((item, index) => ({ item, path: ['items', index] })),
    ...(terms ?? []).map((pattern, index) => ({
      item: { pattern, isRegex: false },
      path: ['terms', index],
      isTerm: true,
    })),
  ]
  const reading = readItems(given)
  if ('problems' in reading) return reading
  return { spec: { ...rest, items: mergeItems([], reading.items) } }
}

/** Judges items: patterns that cannot run in linear time are refused with the reason. Names are made where there are none. */
export function readItems(
  given: readonly { readonly item: ItemInput; readonly path: readonly PropertyKey[]; readonly isTerm?: boolean }[],
): { readonly items: readonly BlocklistItem[] } | Problems {
  const problems: DocumentProblem[] = []
  const named = new Map<string, BlocklistItem>()
  for (const { item, path } of given) {
    const { pattern, isRegex } = item
    const name = item.name ?? nameOf(pattern, isRegex)
    const earlier = named.get(name.toLowerCase())
    if (earlier && (earlier.pattern !== pattern || earlier.isRegex !== isRegex)) {
      const text = `got ${JSON.stringify(name)} again with another pattern, expected each name once (case does not count)`
      problems.push({ path: [...path, 'name'], text })
    }
    named.set(name.toLowerCase(), { name, pattern, isRegex })
  }
  for (const { index, reason } of judgeItems(given.map(({ item }) => ({ name: '', ...item })))) {
    const { path, isTerm } = given[index] as (typeof given)[number]
    problems.push({ path: isTerm ? path : [...path, 'pattern'], text: `cannot be used: ${reason}` })
  }
  if (named.size > maxItems) problems.push({ path: [], text: describeTooMany(named.size) })
  return problems.length > 0 ? { problems } : { items: [...named.values()] }
}

/** `items` with those of `more` added, or in the place of those of the same name; what has not changed is the same object. */
export function mergeItems(items: readonly BlocklistItem[], more: readonly BlocklistItem[]): readonly BlocklistItem[] {
  const merged = new Map(items.map((item) => [item.name.toLowerCase(), item]))
  let hasChanged = false
  for (const item of more) {
    const key = item.name.toLowerCase()
    const before = merged.get(key)
    if (before && isSameItem(before, item)) continue
    merged.set(key, item)
    hasChanged = true
  }
  if (!hasChanged) return items
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}

export function describeTooMany(count: number): string {
  return `the list would have ${count} items, expected at most ${maxItems}; divide it into several`
}

export function isSameItem(a: BlocklistItem, b: BlocklistItem): boolean {
  return a.name === b.name && a.pattern === b.pattern && a.isRegex === b.isRegex
}

function nameOf(pattern: string, isRegex: boolean): string {
  return createHash('sha256').update(`${isRegex}:${pattern}`).digest('hex').slice(0, 16)
}
