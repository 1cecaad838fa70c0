import { type Document, parseDocument } from 'yaml'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { isArmList, isArmTemplate, readArmList, readArmTemplate } from './read-arm.ts'
import { isLitellm, readLitellm } from './read-litellm.ts'
import type { ImportItem, ImportKind, Reading } from './reading.ts'

/** The sections of our own configuration file that can be brought over, in the order in which they have to be made. */
const sections: Readonly<Record<string, ImportKind>> = {
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

function parseText(text: string): unknown {
  // JSON is YAML too, but reading it as that takes many times as long.
  return /^\s*[[{]/.test(text) ? parseJson(text) : parseYaml(text)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON may still be YAML in flow style.
    const document = parseDocument(text, yamlOptions)
    if (document.errors.length + document.warnings.length === 0) return readYaml(document)
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

function readOwn(document: JsonObject): Reading {
  const notes: string[] = []
  const items: ImportItem[] = []
  for (const name of Object.keys(document)) {
    if (!Object.hasOwn(sections, name)) notes.push(`${name} is left out: it can only stand in the configuration file`)
  }
  for (const [section, kind] of Object.entries(sections)) {
    const list = document[section]
    for (const [index, entry] of (Array.isArray(list) ? (list as Json[]) : []).entries()) {
      if (!isJsonObject(entry) || typeof entry.name !== 'string') {
        notes.push(`${section}[${index}] is left out: it has no name`)
        continue
      }
      const { name, ...rest } = entry
      items.push({ kind, name: name as string, document: rest })
    }
  }
  return { format: 'a configuration of Ponto', items, unsaid: [], notes }
}
