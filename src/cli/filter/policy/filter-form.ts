import { InvalidArgumentError } from 'commander'
import { type FilterCategory, type FilterSource, filterCategories } from '../../../core/filter/categories.ts'
import type { PolicyInput } from '../../../snapshot/filter/policy-spec.ts'

/** Filters, lists and personal data as they are written in flags: words between colons, those after the name in any order and case. */

export type FilterInput = NonNullable<PolicyInput['contentFilters']>[number]
export type ListInput = { readonly name: string; readonly source: FilterSource; readonly blocking: boolean }
type PiiType = NonNullable<FilterInput['piiTypes']>[number]

const sources = ['Prompt', 'Completion'] as const
const thresholds = ['Low', 'Medium', 'High'] as const
const filterActions = ['block', 'annotate', 'off'] as const
const listActions = ['block', 'annotate'] as const
const piiActions = ['block', 'annotate', 'redact'] as const

export const filterForm = 'NAME[:SIDE][:LEVEL][:ACTION]'
export const listForm = 'NAME[:SIDE][:ACTION]'
export const filterFormHelp = `
Filters are written ${filterForm}: hate:Prompt:Low:block. SIDE is Prompt or Completion, both without
it. LEVEL is Low, Medium or High: from which severity on. ACTION is block, annotate or off. What is left out is as in the
base policy, or else Medium and block. Names:
  ${listNames(7)}
Blocklists and topics are written ${listForm}, with the actions block and annotate.`

const pii: FilterCategory = 'personally_identifiable_information'
const categories = (Object.keys(filterCategories) as FilterCategory[]).filter((name) => name !== 'custom_blocklists')
const categoryByKey = new Map<string, FilterCategory>([
  ...categories.flatMap((name) => [[keyOf(name), name] as const, [keyOf(filterCategories[name].title), name] as const]),
  ['pii', pii],
])

/** Letters alone count: `Self-harm`, `selfharm` and `self_harm` are one. */
function keyOf(name: string): string {
  return name.toLowerCase().replace(/[ _-]/g, '')
}

/** So many on the first line. */
function listNames(first = Number.POSITIVE_INFINITY): string {
  const names = Object.keys(filterCategories).filter((name) => name !== 'custom_blocklists')
  const short = names.map((name) => (name === 'personally_identifiable_information' ? 'pii' : name))
  return [short.slice(0, first), short.slice(first)]
    .map((part) => part.join(', '))
    .filter(Boolean)
    .join(',\n  ')
}

/** The filters that `Hate:Prompt:Low:block` means: one for each side. Throws InvalidArgumentError naming what is allowed. */
export function parseFilter(text: string): FilterInput[] {
  const { category, words } = splitFilter(text)
  const { title, kind } = filterCategories[category]
  const isLeveled = kind === 'severity'
  const read = readWords(
    words,
    { source: sources, ...(isLeveled ? { level: thresholds } : {}), action: filterActions },
    title,
  )
  const { action, level } = read
  return sidesOf(category, read.source).map((source) => ({
    name: title,
    source,
    enabled: action !== 'off',
    ...(level ? { severityThreshold: level as (typeof thresholds)[number] } : {}),
    ...(action && action !== 'off' ? { blocking: action === 'block' } : {}),
  }))
}

/** The places that `Hate` or `Hate:Prompt` means. */
export function parsePlace(text: string): { readonly name: string; readonly source: FilterSource }[] {
  const { category, words } = splitFilter(text)
  const { title } = filterCategories[category]
  const { source } = readWords(words, { source: sources }, title)
  return sidesOf(category, source).map((side) => ({ name: title, source: side }))
}

/** A blocklist or topic on one side or both: `offices:Prompt`, `offices:annotate`. */
export function parseList(text: string): ListInput[] {
  const [name = '', ...words] = text.split(':')
  if (name === '') throw new InvalidArgumentError(`It is written ${listForm}.`)
  const { source, action } = readWords(words, { source: sources, action: listActions }, name)
  return (source ? [source as FilterSource] : [...sources]).map((side) => ({
    name,
    source: side,
    blocking: action !== 'annotate',
  }))
}

export const piiForm = 'TYPE[:SIDE][:ACTION]'

/** A type of personal data on one side or both, as the filter that it belongs to: `Email:redact`, `CreditCardNumber:Prompt:block`. */
export function parsePii(text: string): FilterInput[] {
  const [type = '', ...words] = text.split(':')
  if (type === '') throw new InvalidArgumentError(`It is written ${piiForm}.`)
  const read = readWords(words, { source: sources, action: piiActions }, type)
  const entry: PiiType = { type, action: (read.action ?? 'annotate') as PiiType['action'] }
  return sidesOf(pii, read.source).map((source) => ({
    name: filterCategories[pii].title,
    source,
    enabled: true,
    piiTypes: [entry],
  }))
}

function splitFilter(text: string): { readonly category: FilterCategory; readonly words: readonly string[] } {
  const [name = '', ...words] = text.split(':')
  if (keyOf(name) === 'customblocklists')
    throw new InvalidArgumentError('Blocklists have a flag of their own: --blocklist.')
  const category = categoryByKey.get(keyOf(name))
  if (!category) throw new InvalidArgumentError(`"${name}" is no filter. Allowed are ${listNames()}.`)
  return { category, words }
}

function sidesOf(category: FilterCategory, wanted: string | undefined): readonly FilterSource[] {
  const { title, sources: possible } = filterCategories[category]
  if (!wanted) return possible
  const side = (possible as readonly string[]).includes(wanted)
  if (side) return [wanted as FilterSource]
  throw new InvalidArgumentError(`${title} is a filter of the ${possible[0]} side only.`)
}

/** Each word belongs to the one group that has it. */
function readWords(
  words: readonly string[],
  groups: Readonly<Record<string, readonly string[]>>,
  what: string,
): Readonly<Record<string, string | undefined>> {
  const found: Record<string, string> = {}
  for (const word of words) {
    const match = Object.entries(groups)
      .flatMap(([group, values]) => values.map((value) => ({ group, value })))
      .find(({ value }) => value.toLowerCase() === word.toLowerCase())
    if (!match) {
      const allowed = Object.values(groups).flat().join(', ')
      throw new InvalidArgumentError(`"${word}" means nothing for ${what}. Allowed are ${allowed}.`)
    }
    if (found[match.group])
      throw new InvalidArgumentError(`"${found[match.group]}" and "${match.value}" exclude each other.`)
    found[match.group] = match.value
  }
  return found
}
