import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { UpstreamLine } from '../../core/reply.ts'
import { isName } from '../openai-chat/batches.ts'
import type { BatchEnd, ListedBatch } from '../wire.ts'
import { statusOfError } from './upstream-fault.ts'

/**
 * Message Batches: the requests are the order itself, and the results one file. A batch carries nothing of ours but the names of its
 * lines, which only its results tell: there an order is known by the tag its names begin with.
 */

const mib = 1024 * 1024
const path = '/v1/messages/batches'
/** Clocks differ. */
const slackMs = 5 * 60_000

export const messageBatchEnd: BatchEnd = {
  kinds: new Set(['chat']),
  maxLines: 100_000,
  maxBytes: 250 * mib,
  keepsCustomIds: false,
  writeLine: (name, _kind, body) => `{"custom_id":${JSON.stringify(name)},"params":${body}}`,
  path,
  writeOrder: () => ({ head: '{"requests":[', tail: ']}' }),
  readBatch,
  listPath: (after) => `${path}?limit=100${after === undefined ? '' : `&after_id=${encodeURIComponent(after)}`}`,
  isOrdered({ createdAt, count }, order) {
    const isLate = createdAt === undefined || createdAt >= order.orderedAt - slackMs
    return isLate && count === order.count ? 'maybe' : 'no'
  },
  resultPath: (name) => `${path}/${encodeURIComponent(name)}/results`,
  readResult,
}

function readBatch(body: JsonObject): ListedBatch | undefined {
  const { id, processing_status: status, request_counts: counts, created_at: created } = body
  if (!isName(id)) return undefined
  const createdAt = typeof created === 'string' ? Date.parse(created) : Number.NaN
  const isOver = status === 'ended'
  return {
    id,
    state: isOver ? 'ended' : 'running',
    results: isOver ? [id] : [],
    files: [],
    tag: undefined,
    staged: undefined,
    count: isJsonObject(counts) ? sum(counts) : undefined,
    createdAt: Number.isNaN(createdAt) ? undefined : createdAt,
  }
}

/** Processing, succeeded, errored, cancelled and expired. */
function sum(counts: JsonObject): number {
  return Object.values(counts).reduce<number>((all, count) => all + (typeof count === 'number' ? count : 0), 0)
}

function readResult({ custom_id: name, result }: JsonObject): UpstreamLine | undefined {
  if (typeof name !== 'string') return undefined
  if (isJsonObject(result)) {
    const { type, message, error } = result
    if (type === 'succeeded' && isJsonObject(message)) return { name, status: 200, body: JSON.stringify(message) }
    if (type === 'errored' && isJsonObject(error)) return { name, ...readError(error) }
  }
  return { name, status: undefined, body: '' }
}

/** The error stands there as in the body of an answer, or bare. */
function readError(error: JsonObject): Pick<UpstreamLine, 'status' | 'body'> {
  const whole: Json = isJsonObject(error.error) ? error : { type: 'error', error }
  return { status: statusOfError(whole), body: JSON.stringify(whole) }
}
