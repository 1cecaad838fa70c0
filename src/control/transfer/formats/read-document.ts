import { type Document, parseDocument } from 'yaml'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { poolName, type QuotaPool } from '../../../snapshot/capacity/quota.ts'
import { isArmList, readArmList } from './read-arm.ts'
import { isLitellm, readLitellm } from './read-litellm.ts'
import { isArmTemplate, readArmTemplate } from './read-template.ts'
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

const formats =
  'an ARM template, a list of Azure deployments (az ... -o json), a LiteLLM configuration, or a configuration of Ponto'

/** What a text of any format that is known holds. Throws Fault `invalid-request` for one that is of none. */
export function readImport(text: string, parameters?: JsonObject): Reading {
  const document = parseText(text)
  if (isArmTemplate(document)) return readArmTemplate(document, parameters)
  if (isArmList(document)) return readArmList(document)
  if (isLitellm(document)) return readLitellm(document)
  if (isJsonObject(document) && Object.keys(document).some((name) => Object.hasOwn(sections, name))) {
    return readOwn(document)
  }
  throw new Fault('invalid-request', `text: this is nothing that can be imported; expected ${formats}`, {
    param: 'text',
  })
}

/** Reading YAML keeps everything else waiting, a second or more for each of these. */
const largestYaml = 4 * 1_048_576

function parseText(text: string): unknown {
  // JSON is YAML too, but reading it as that takes many times as long.
  return /^\s*[[{]/.test(text) ? parseJson(text) : parseYaml(text)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON may still be YAML in flow style.
    const document = text.length > largestYaml ? undefined : parseDocument(text, yamlOptions)
    if (document && document.errors.length + document.warnings.length === 0) return readYaml(document)
    throw refuseText('JSON with a mistake in it')
  }
}

const yamlOptions = {
  version: '1.2',
  schema: 'core',
  resolveKnownTags: false,
  prettyErrors: false,
  logLevel: 'error',
} as const

function parseYaml(text: string): unknown {
  if (text.length > largestYaml) {
    throw new Fault(
      'body-too-large',
      `text: YAML of ${text.length} characters, and at most ${largestYaml} are read; divide it, or write it as JSON`,
      { param: 'text' },
    )
  }
  const document = parseDocument(text, yamlOptions)
  const [problem] = [...document.errors, ...document.warnings]
  if (problem) throw refuseText(problem.code)
  return readYaml(document)
}

function readYaml(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 })
  } catch {
    throw refuseText('its aliases cannot be resolved')
  }
}

function refuseText(reason: string): Fault {
  return new Fault('invalid-request', `text: neither JSON nor YAML (${reason}); expected ${formats}`, { param: 'text' })
}

/** Sections that are brought over in another way. */
const elsewhere: Readonly<Record<string, string>> = {
  resources: 'import what each resource has by itself, with --resource NAME',
  resource: '"ponto resource update" changes it',
}

function readOwn(document: JsonObject): Reading {
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
