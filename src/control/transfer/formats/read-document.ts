import { type Document, parseDocument } from 'yaml'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import { isArmList, readArmList } from './read-arm.ts'
import { isLitellm, readLitellm } from './read-litellm.ts'
import { isOwnDocument, readOwn } from './read-own.ts'
import { isArmTemplate, readArmTemplate } from './read-template.ts'
import type { Reading } from './reading.ts'

const formats =
  'an ARM template, a list of Azure deployments (az ... -o json), a LiteLLM configuration, or a configuration of Ponto'

/** What a text of any format that is known holds. Throws Fault `invalid-request` for one that is of none. */
export function readImport(text: string, parameters?: JsonObject): Reading {
  const document = parseText(text)
  if (isArmTemplate(document)) return readArmTemplate(document, parameters)
  if (isArmList(document)) return readArmList(document)
  if (isLitellm(document)) return readLitellm(document)
  if (isOwnDocument(document)) return readOwn(document)
  throw new Fault('invalid-request', `text: this is nothing that can be imported; expected ${formats}`, {
    param: 'text',
  })
}

/** Reading YAML keeps everything else waiting, a second or two for each million of characters; JSON takes no time. */
const largestYaml = 2 * 1_048_576

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
      `text: YAML of ${text.length} characters, and at most ${largestYaml} are read; divide it, or give it as JSON ("ponto export --arm" writes some)`,
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
