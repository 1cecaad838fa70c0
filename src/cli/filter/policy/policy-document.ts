import { Fault } from '../../../core/fault.ts'
import type { FilterSource } from '../../../core/filter/categories.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { PolicyInput } from '../../../snapshot/filter/policy-spec.ts'
import type { CommandContext } from '../../context.ts'
import { readDocumentFile, requireName } from '../../terminal/read-file.ts'
import type { FilterInput } from './filter-form.ts'

/** A policy without its name, as it is written to the server. */
export type PolicyDocument = Omit<PolicyInput, 'name'>

type Lists = NonNullable<PolicyInput['customBlocklists']>
type Topics = NonNullable<PolicyInput['customTopics']>
type Place = { readonly name: string; readonly source: FilterSource }

/** What flags say about a policy. What is there for the same place is changed, all else stays. */
export type PolicyChange = {
  readonly fields: Omit<PolicyDocument, 'contentFilters' | 'customBlocklists' | 'customTopics'>
  readonly filters: readonly FilterInput[]
  readonly blocklists: Lists
  readonly topics: Topics
  readonly removed: {
    readonly filters: readonly Place[]
    readonly blocklists: readonly Place[]
    readonly topics: readonly Place[]
  }
}

/**
 * The document with the change; of a filter that is there, what is not named stays. Throws Fault `invalid-request` where something is to be
 * removed that is not there.
 */
export function applyChange(document: PolicyDocument, change: PolicyChange): PolicyDocument {
  const { fields, filters, blocklists, topics, removed } = change
  const next = {
    ...document,
    ...fields,
    ...(fields.scope ? { scope: { ...document.scope, ...fields.scope } } : {}),
    contentFilters: mergeByPlace(document.contentFilters ?? [], filters, removed.filters, 'filter', ({ name }) => name),
    customBlocklists: mergeByPlace(
      document.customBlocklists ?? [],
      blocklists,
      removed.blocklists,
      'blocklist',
      ({ blocklistName }) => blocklistName,
    ),
    customTopics: mergeByPlace(
      document.customTopics ?? [],
      topics,
      removed.topics,
      'topic',
      ({ topicName }) => topicName,
    ),
  }
  return Object.fromEntries(Object.entries(next).filter(([, value]) => !Array.isArray(value) || value.length > 0))
}

function mergeByPlace<T extends { readonly source: FilterSource }>(
  current: readonly T[],
  changes: readonly T[],
  removed: readonly Place[],
  noun: string,
  nameOf: (item: T) => string,
): T[] {
  const keyOf = (name: string, source: string) => `${name.toLowerCase()}/${source}`
  const merged = new Map(current.map((item) => [keyOf(nameOf(item), item.source), item]))
  const gone = removed.filter(({ name, source }) => merged.delete(keyOf(name, source)))
  // A name without a side means both, and may be on one of them.
  const missing = removed.find(({ name }) => !gone.some((other) => other.name === name))
  if (missing) {
    const known = [...new Set(current.map(nameOf))].join(', ') || 'none'
    throw new Fault('invalid-request', `The policy sets no ${noun} "${missing.name}" there. It sets: ${known}.`)
  }
  for (const item of changes) {
    const key = keyOf(nameOf(item), item.source)
    merged.set(key, { ...merged.get(key), ...item })
  }
  return [...merged.values()]
}

/** What stands beside `properties` in the JSON of Azure's management API and is not the policy's. */
const resourceFields = ['id', 'name', 'type', 'etag', 'systemData', 'tags', 'location', 'apiVersion', 'properties']

/**
 * The policy that a YAML or JSON file describes: as the configuration file has it, or as Azure's management API does, below `properties`.
 * Throws Fault `invalid-request`, naming the file.
 */
export async function readPolicyFile(
  context: CommandContext,
  file: string,
  name: string | undefined,
): Promise<{ readonly name: string; readonly document: JsonObject }> {
  const written = await readDocumentFile(context, file, 'policy: name, basePolicyName, contentFilters')
  const { name: _name, ...document } = isJsonObject(written.properties) ? unwrap(written, file) : written
  return { name: requireName(written, file, name, 'policy'), document }
}

function unwrap(written: JsonObject, file: string): JsonObject {
  const stray = Object.keys(written).find((field) => !resourceFields.includes(field))
  if (stray) throw new Fault('invalid-request', `${file}: "${stray}" stands beside "properties"; it belongs into it.`)
  return written.properties as JsonObject
}
