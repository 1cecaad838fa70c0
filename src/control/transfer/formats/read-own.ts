import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { poolName, type QuotaPool } from '../../../snapshot/capacity/quota.ts'
import type { ImportItem, ImportKind, Reading } from './reading.ts'

/** The sections of our own configuration file that can be brought over, in the order in which they have to be made. */
const sections: Readonly<Record<string, ImportKind>> = {
  quota: 'quota',
  raiBlocklists: 'blocklist',
  raiTopics: 'topic',
  filterEngines: 'filter-engine',
  raiPolicies: 'rai-policy',
  deploymentPolicies: 'deployment-policy',
  deployments: 'deployment',
}

/** Whether a document is a configuration of Ponto. */
export function isOwnDocument(document: unknown): document is JsonObject {
  return isJsonObject(document) && Object.keys(document).some((name) => Object.hasOwn(sections, name))
}

/** Sections that are brought over in another way. */
const elsewhere: Readonly<Record<string, string>> = {
  resources: 'import what each resource has by itself, with --resource NAME',
  resource: '"ponto resource update" changes it',
}

export function readOwn(document: JsonObject): Reading {
  const notes: string[] = []
  const items: ImportItem[] = []
  for (const name of Object.keys(document)) {
    if (Object.hasOwn(sections, name)) continue
    const way = Object.hasOwn(elsewhere, name) ? elsewhere[name] : 'it can only stand in the configuration file'
    notes.push(`${name} is left out: ${way}`)
  }
  for (const [section, kind] of Object.entries(sections)) {
    const list = document[section] ?? []
    if (!Array.isArray(list)) notes.push(`${section} is left out: it is no list`)
    for (const [index, entry] of (Array.isArray(list) ? (list as Json[]) : []).entries()) {
      const item = isJsonObject(entry) ? readEntry(kind, entry) : undefined
      if (item) items.push(item)
      else notes.push(`${section}[${index}] is left out: it has no name`)
    }
  }
  return { format: 'a configuration of Ponto', items, notes }
}

function readEntry(kind: ImportKind, entry: JsonObject): ImportItem | undefined {
  if (kind === 'quota') {
    const { limit } = entry
    const name = poolName(entry as unknown as QuotaPool)
    return { kind, name, makeDocument: () => ({ limit: limit ?? null }) }
  }
  const { name, ...document } = entry
  return typeof name === 'string' ? { kind, name, makeDocument: () => document } : undefined
}
