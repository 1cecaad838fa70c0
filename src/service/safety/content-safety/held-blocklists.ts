import { Fault } from '../../../core/fault.ts'
import { type DocumentProblem, formatPath } from '../../../core/text/parse-document.ts'
import {
  type BlocklistItem,
  type BlocklistSpec,
  describeTooMany,
  maxItems,
  mergeItems,
  readBlocklist,
  readItems,
} from '../../../snapshot/filter/blocklist-spec.ts'
import type { Collection } from '../../../snapshot/filter/collection.ts'
import { type CompiledList, compileList } from '../../../snapshot/filter/list-matcher.ts'
import type { Blocklist, BlocklistContent, Blocklists, ListItem, NewListItem } from './blocklists.ts'

/** The blocklists that the server holds for its content filters. Items have no descriptions there, so those are not kept. */
export function createHeldBlocklists(held: Collection<BlocklistSpec>): Blocklists {
  // A list may have 10,000 items: it is looked at, and compiled, once as long as it stays the same.
  const views = new WeakMap<BlocklistSpec, Blocklist>()
  const matchers = new WeakMap<Blocklist, (text: string) => readonly ListItem[]>()

  const view = (spec: BlocklistSpec): Blocklist => {
    let seen = views.get(spec)
    if (!seen) {
      const items = spec.items.map(({ name, pattern, isRegex }) => ({ id: name, text: pattern, isRegex }))
      seen = { name: spec.name, description: spec.description, items }
      views.set(spec, seen)
    }
    return seen
  }
  return {
    list: () => held.list().map(({ spec }) => view(spec)),
    get(name) {
      const found = held.get(name)
      return found && view(found.spec)
    },
    async write(name, edit) {
      const { item, isNew } = await held.write(name, (current) => {
        const spec = current?.spec
        return makeSpec(spec?.name ?? name, edit(spec && view(spec)), spec)
      })
      return { list: view(item.spec), isNew }
    },
    remove: (name) => held.remove(name),
    match(list, text) {
      let find = matchers.get(list)
      if (!find) {
        find = createFinder(list)
        matchers.set(list, find)
      }
      return find(text)
    },
  }
}

function makeSpec(
  name: string,
  { description, items }: BlocklistContent,
  before: BlocklistSpec | undefined,
): BlocklistSpec {
  const reading = readBlocklist(description === undefined ? { name } : { name, description })
  if ('problems' in reading) throw refuseProblem(reading.problems)
  const kept = keepItems(before?.items ?? [], new Set(items.map(({ id }) => id)))
  const made = readItems(items.filter(({ id }) => id === undefined).map(describeItem))
  if ('problems' in made) throw refuseProblem(made.problems)
  const all = mergeItems(kept, made.items)
  if (all.length > maxItems) throw refuseProblem([{ path: ['blocklistItems'], text: describeTooMany(all.length) }])
  return { ...reading.spec, items: all }
}

/** The same list where nothing goes, so that nothing is written. */
function keepItems(items: readonly BlocklistItem[], ids: ReadonlySet<string | undefined>): readonly BlocklistItem[] {
  return items.every(({ name }) => ids.has(name)) ? items : items.filter(({ name }) => ids.has(name))
}

function describeItem({ text, isRegex, place = 'items' }: NewListItem) {
  return { item: { pattern: text, isRegex }, path: [place], isTerm: true }
}

function refuseProblem([problem]: readonly DocumentProblem[]): Fault {
  const param = formatPath(problem?.path ?? [])
  return new Fault('invalid-request', `Invalid value for '${param}': ${problem?.text}.`, { param })
}

function createFinder({ items }: Blocklist): (text: string) => readonly ListItem[] {
  const compiled: CompiledList = compileList(
    items.map(({ id, text, isRegex }) => ({ name: id, pattern: text, isRegex })),
  )
  const byId = new Map(items.map((item) => [item.id, item]))
  return (text) => {
    const ids = new Set(compiled.matcher.find(text).map(({ pattern }) => compiled.itemOf(pattern)))
    return [...ids].flatMap((id) => byId.get(id) ?? [])
  }
}
