import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { DocumentProblem } from '../../../core/text/parse-document.ts'
import { refuseDocument } from '../../http/errors.ts'

/** Properties and tags of a document, flat as our own API has them. Throws Fault `invalid-request` for fields it has not. */
export function readEnvelope(body: JsonObject, fields: readonly string[]): JsonObject {
  const { properties = {}, tags, ...rest } = body
  for (const name of ['id', 'name', 'type', 'etag', 'systemData']) delete rest[name]
  const problems: DocumentProblem[] = Object.keys(rest).map((name) => refuseField([], name, ['properties', 'tags']))
  const document: JsonObject = tags === undefined || tags === null ? {} : { tags }
  if (!isJsonObject(properties)) problems.push({ path: ['properties'], text: 'expected an object' })
  else {
    for (const [name, value] of Object.entries(properties)) {
      if (!fields.includes(name)) problems.push(refuseField(['properties'], name, fields))
      else if (value !== null) document[name] = value
    }
  }
  if (problems.length > 0) throw refuseDocument(problems)
  return document
}

function refuseField(path: readonly string[], name: string, allowed: readonly string[]): DocumentProblem {
  const shown = /^[\w.-]{1,40}$/.test(name) ? [...path, name] : path
  return { path: shown, text: `unknown field, allowed are ${allowed.join(', ')}` }
}
