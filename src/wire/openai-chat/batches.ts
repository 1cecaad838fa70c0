import type { CallKind } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { asNumber, isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { UpstreamBatch, UpstreamLine } from '../../core/reply.ts'
import type { BatchEnd, ListedBatch } from '../wire.ts'

/** Batches spoken to OpenAI, Azure OpenAI and servers that offer the same: a file of lines, a batch of the file, files of results. */

const operations: Readonly<Partial<Record<CallKind, string>>> = {
  chat: '/chat/completions',
  completion: '/completions',
  embed: '/embeddings',
}

const mib = 1024 * 1024
/** The limits of OpenAI; Azure takes more lines. Bytes leave room for what a form adds. */
const maxLines = 50_000
const maxBytes = 199 * mib

/** Our word for whose a batch is, in the metadata that upstreams give back. */
const tagField = 'ponto_batch'

/** By this the upstream says that others of the account wait already. */
const laterCodes: ReadonlySet<unknown> = new Set(['token_limit_exceeded', 'rate_limit_exceeded'])

const running: ReadonlySet<unknown> = new Set(['validating', 'in_progress', 'finalizing', 'cancelling'])
const pending: ReadonlySet<unknown> = new Set(['pending', 'running'])
const broken: ReadonlySet<unknown> = new Set(['error', 'deleting', 'deleted'])

export const openaiBatchEnd = createBatchEnd('/v1', ['chat', 'completion', 'embed'])
/** Addresses in lines and orders have no version here. */
export const azureBatchEnd = createBatchEnd('', ['chat'])

function createBatchEnd(prefix: string, kinds: readonly CallKind[]): BatchEnd {
  const pathOf = (kind: CallKind): string => prefix + (operations[kind] ?? '')
  return {
    kinds: new Set(kinds),
    maxLines,
    maxBytes,
    keepsCustomIds: true,
    writeLine(name, kind, body) {
      const text = oneLine(body)
      return `{"custom_id":${JSON.stringify(name)},"method":"POST","url":${JSON.stringify(pathOf(kind))},"body":${text}}`
    },
    file: { path: '/files', writeForm, read: readFile },
    path: '/batches',
    writeOrder({ tag, kind, staged }) {
      const order = {
        input_file_id: staged ?? '',
        endpoint: pathOf(kind),
        completion_window: '24h',
        metadata: { [tagField]: tag },
      }
      return { head: JSON.stringify(order), tail: '' }
    },
    readBatch,
    listPath: (after) => `/batches?limit=100${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`,
    // A file is only staged for one order; where metadata are not given back, that tells it too.
    isOrdered: (batch, { tag, staged }) =>
      batch.tag === tag || (staged !== undefined && batch.staged === staged) ? 'yes' : 'no',
    resultPath: (name) => `/files/${encodeURIComponent(name)}/content`,
    readResult,
  }
}

/** Within JSON a line break can only stand between values. */
function oneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replace(/[\r\n]+/g, ' ') : json
}

function writeForm(filename: string) {
  const boundary = `ponto-${filename}`
  const part = (name: string, more = '') => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n`
  const type = 'content-type: application/jsonl\r\n\r\n'
  return {
    contentType: `multipart/form-data; boundary="${boundary}"`,
    head: `${part('purpose')}\r\nbatch\r\n${part('file', `; filename="${filename}.jsonl"`)}${type}`,
    tail: `\r\n--${boundary}--\r\n`,
  }
}

function readFile({ id, status }: JsonObject): { readonly id: string; readonly isReady: boolean } {
  if (!isName(id)) throw new Fault('upstream-failed', "The backend's answer names no file.")
  if (broken.has(status))
    throw new Fault('upstream-failed', `The backend cannot use the file that it was sent (${status}).`)
  return { id, isReady: !pending.has(status) }
}

function readBatch(body: JsonObject): ListedBatch | undefined {
  const { id, status, metadata, created_at: createdAt } = body
  if (!isName(id)) return undefined
  const staged = asName(body.input_file_id)
  const results = [asName(body.output_file_id), asName(body.error_file_id)].filter((name) => name !== undefined)
  const counts = isJsonObject(body.request_counts) ? body.request_counts : {}
  const seconds = asNumber(createdAt)
  return {
    id,
    ...readState(status, body.errors),
    results,
    files: staged === undefined ? results : [staged, ...results],
    tag: isJsonObject(metadata) ? asName(metadata[tagField]) : undefined,
    staged,
    count: asNumber(counts.total),
    createdAt: seconds === undefined ? undefined : seconds * 1000,
  }
}

function readState(
  status: Json | undefined,
  errors: Json | undefined,
): Pick<UpstreamBatch, 'state' | 'reason' | 'isLater'> {
  if (running.has(status)) return { state: 'running' }
  if (status !== 'failed') return { state: 'ended' }
  const list = isJsonObject(errors) && Array.isArray(errors.data) ? errors.data.filter(isJsonObject) : []
  const [first] = list
  const words = [first?.code, first?.message].filter((word) => typeof word === 'string')
  return {
    state: 'failed',
    reason: words.length > 0 ? words.join(': ') : 'it says no reason',
    isLater: list.some(({ code }) => laterCodes.has(code)),
  }
}

/** Lines that were not run have an error and no response. */
function readResult({ custom_id: name, response }: JsonObject): UpstreamLine | undefined {
  if (typeof name !== 'string') return undefined
  const status = isJsonObject(response) ? asNumber(response.status_code) : undefined
  if (!isJsonObject(response) || status === undefined || !isJsonObject(response.body)) {
    return { name, status: undefined, body: '' }
  }
  return { name, status, body: JSON.stringify(response.body) }
}

function asName(value: Json | undefined): string | undefined {
  return isName(value) ? value : undefined
}

/** What can become a part of an address. */
export function isName(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.isWellFormed()
}
