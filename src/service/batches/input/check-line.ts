import { isUtf8 } from 'node:buffer'
import { deploymentKey } from '../../../core/deployment.ts'
import { isJsonObject, isTooDeep, type Json, type JsonObject, maxJsonDepth } from '../../../core/json.ts'
import type { BatchEndpoint } from '../endpoints.ts'
import { findEndpoint } from '../endpoints.ts'

/** Something that is wrong with an input, as the API shows it. */
export type Problem = {
  readonly code: ProblemCode
  readonly message: string
  readonly param: string | null
  /** From 1; null where it is no matter of one line. */
  readonly line: number | null
}

export type ProblemCode =
  | 'empty_file'
  | 'empty_batch'
  | 'invalid_json_line'
  | 'invalid_request'
  | 'url_mismatch'
  | 'model_not_found'
  | 'model_mismatch'
  | 'duplicate_custom_id'
  | 'too_many_tasks'
  | 'token_limit_exceeded'
  | 'input_modified'
  | 'input_no_permissions'

export type Task = { readonly customId: string; readonly model: string; readonly body: JsonObject }

export type Checked = { readonly task: Task } | { readonly problem: Omit<Problem, 'line'> }

const maxCustomIdLength = 512

/** What a line asks for, or the first thing that is wrong with it. */
export function checkLine(bytes: Uint8Array, endpoint: BatchEndpoint): Checked {
  const parsed = parseLine(bytes)
  if ('problem' in parsed) return parsed
  const { custom_id: customId, method, url, body } = parsed.line
  if (typeof customId !== 'string' || customId === '') return missing('custom_id', 'a text that is not empty', customId)
  if (customId.length > maxCustomIdLength || /\p{C}/u.test(customId)) {
    return invalid(
      'custom_id',
      `has to be of at most ${maxCustomIdLength} characters, none of them a control character`,
    )
  }
  if (method !== 'POST') return missing('method', '"POST"', method)
  if (typeof url !== 'string') return missing('url', `"${endpoint.path}"`, url)
  if (findEndpoint(url)?.path !== endpoint.path) {
    const message = `The url ${show(url)} of this line is not the endpoint of the batch, ${endpoint.path}.`
    return { problem: { code: 'url_mismatch', message, param: 'url' } }
  }
  if (!isJsonObject(body)) return missing('body', 'an object', body)
  const { model, stream } = body
  if (typeof model !== 'string' || model === '') return missing('body.model', 'the name of a deployment', model)
  if (stream === true) return invalid('body.stream', 'has to be absent or false: a line has one whole answer')
  return { task: { customId, model, body } }
}

/** What the first line decides for all others. */
export function checkModel(model: string, expected: string): Omit<Problem, 'line'> | undefined {
  if (deploymentKey(model) === deploymentKey(expected)) return undefined
  const message = `The model ${show(model)} of this line is not that of the lines before, ${show(expected)}. All lines of a batch name the same deployment.`
  return { code: 'model_mismatch', message, param: 'body.model' }
}

function parseLine(bytes: Uint8Array): { readonly line: JsonObject } | { readonly problem: Omit<Problem, 'line'> } {
  if (!isUtf8(bytes)) return unreadable('This line is not valid UTF-8.')
  const text = toText(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return unreadable('This line is not valid JSON.')
  }
  if (!isJsonObject(value)) return unreadable('This line is JSON, but not an object.')
  if (isTooDeep(value, text.length)) return unreadable(`This line is nested deeper than ${maxJsonDepth} levels.`)
  return { line: value }
}

/** Of UTF-8, which the bytes have to be. */
export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function unreadable(message: string): { readonly problem: Omit<Problem, 'line'> } {
  return { problem: { code: 'invalid_json_line', message, param: null } }
}

function missing(param: string, expected: string, got: Json | undefined): Checked {
  const found = got === undefined ? 'it is missing' : `got ${show(got)}`
  return {
    problem: {
      code: 'invalid_request',
      message: `Invalid value for '${param}': ${found}, expected ${expected}.`,
      param,
    },
  }
}

function invalid(param: string, why: string): Checked {
  return { problem: { code: 'invalid_request', message: `Invalid value for '${param}': it ${why}.`, param } }
}

function show(value: Json): string {
  if (Array.isArray(value)) return 'a list'
  if (isJsonObject(value)) return 'an object'
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : String(value)
}
