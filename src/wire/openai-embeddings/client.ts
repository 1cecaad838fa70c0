import type { EmbedCall, VectorEncoding } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { asNumber, isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Result } from '../../core/result.ts'
import { spliceModel } from '../../core/text/splice-model.ts'
import { readOpenAIFault } from '../faults/openai-upstream-fault.ts'
import { dropUndefined, foreignRest, readAnswerUsage } from '../openai-chat/client.ts'
import type { ClientEnd } from '../wire.ts'
import { wireName } from './server.ts'

/** Embeddings spoken to an OpenAI-compatible server. */
export const openaiEmbeddingsClient: ClientEnd = {
  wire: wireName,
  kind: 'embed',
  writeCall(call, model) {
    if (call.source?.wire === wireName) return { text: spliceModel(call.source.text, call.source.body, model) }
    if (call.kind !== 'embed') throw new TypeError(`a ${call.kind} call cannot be written as embeddings`)
    refuseQuantised(call)
    return { text: JSON.stringify(writeEmbeddings(call, model)) }
  },
  readResult(body): Result {
    if (!Array.isArray(body.data)) throw new Fault('upstream-failed', "The backend's answer has no data.")
    const usage = isJsonObject(body.usage) ? body.usage : {}
    return {
      kind: 'embed',
      ...(typeof body.model === 'string' && { model: body.model }),
      vectors: body.data.filter(isJsonObject).sort(byIndex).map(readVector),
      usage: { promptTokens: asNumber(usage.prompt_tokens) ?? 0, completionTokens: 0 },
    }
  },
  readEvents() {
    throw new TypeError('embeddings are not streamed')
  },
  canRelay: (body, call) => call.kind === 'embed' && hasAskedEncoding(body, call.encoding),
  readUsage: readAnswerUsage,
  readFault: readOpenAIFault,
}

/** The body without an encoding: vectors come as numbers then, and are written as the caller asked. */
export function writeEmbeddings(call: EmbedCall, model: string): JsonObject {
  return dropUndefined({
    ...foreignRest(call.rest, 'the request'),
    model,
    input: (call.inputs.length === 1 ? call.inputs[0] : call.inputs) as Json,
    dimensions: call.dimensions,
    input_type: call.inputType,
  })
}

function refuseQuantised({ encoding }: EmbedCall): void {
  if (encoding === 'float' || encoding === 'base64') return
  throw new Fault(
    'unsupported-value',
    `The backend of this deployment does not support encoding_format "${encoding}"; use "float" or "base64".`,
    { param: 'encoding_format', input: encoding },
  )
}

function byIndex(a: JsonObject, b: JsonObject): number {
  return Number(a.index ?? 0) - Number(b.index ?? 0)
}

function readVector(item: JsonObject): ArrayLike<number> {
  const { embedding } = item
  if (Array.isArray(embedding)) return embedding as number[]
  if (typeof embedding !== 'string')
    throw new Fault('upstream-failed', "The backend's answer holds an item without a vector.")
  const bytes = Buffer.from(embedding, 'base64')
  return Float32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readFloatLE(i * 4))
}

/**
 * Whether an answer holds its vectors the way the caller asked. Servers that ignore `encoding_format` send numbers where OpenAI
 * clients, which ask for base64 unasked, would read zeros.
 */
function hasAskedEncoding(body: Uint8Array, encoding: VectorEncoding): boolean {
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 4096)).toString('latin1')
  const match = /"embedding"\s*:\s*(["[])/.exec(head)
  return match?.[1] === (encoding === 'base64' ? '"' : '[')
}
