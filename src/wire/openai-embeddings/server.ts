import type { EmbedCall, VectorEncoding } from '../../core/call.ts'
import { type Json, type JsonObject, pickUnknown } from '../../core/json.ts'
import type { Result } from '../../core/result.ts'
import { writeOpenAIFault, writeOpenAIStreamFault } from '../faults/openai-fault.ts'
import { namedDeployment } from '../openai-chat/server.ts'
import { readTextInputs } from '../openai-completions/server.ts'
import { readBody } from '../read-body.ts'
import type { AnswerHead, ServerEnd } from '../wire.ts'
import { type EmbeddingBody, embeddingBodySchema, embeddingFields } from './schema.ts'

export const wireName = 'openai-embeddings'

/** Embeddings as Azure OpenAI (dated and v1) offers them. */
export const openaiEmbeddingsServer: ServerEnd = {
  wire: wireName,
  kind: 'embed',
  routes: [
    { method: 'POST', path: '/openai/deployments/{deployment}/embeddings', apiVersion: 'required' },
    { method: 'POST', path: '/openai/v1/embeddings', apiVersion: 'optional' },
  ],
  readCall(input) {
    const { body } = input
    const call = toEmbedCall(readBody(embeddingBodySchema, body), body, namedDeployment(input))
    return { ...call, source: { wire: wireName, text: input.text, body } }
  },
  writeResult(result, call, head) {
    return JSON.stringify({ object: 'list', ...writeVectors(result, call as EmbedCall, head) })
  },
  openStream() {
    throw new TypeError('embeddings are not streamed')
  },
  writeFault: writeOpenAIFault,
  writeStreamFault: writeOpenAIStreamFault,
}

type EmbedBody = Pick<EmbeddingBody, 'input' | 'dimensions' | 'input_type'> & {
  readonly encoding_format?: VectorEncoding | null | undefined
}

/** An embeddings body, judged and as it came, in canonical form. */
export function toEmbedCall(embed: EmbedBody, body: JsonObject, deployment: string): EmbedCall {
  const rest = pickUnknown(body, embeddingFields)
  return {
    kind: 'embed',
    deployment,
    stream: false,
    includeUsage: false,
    inputs: readTextInputs(embed.input),
    dimensions: embed.dimensions ?? undefined,
    encoding: embed.encoding_format ?? 'float',
    inputType: embed.input_type ?? undefined,
    rest: rest && { wire: wireName, fields: rest },
  }
}

/** The fields that the OpenAI and the Azure AI Model Inference answer have in common. */
export function writeVectors(result: Result, call: EmbedCall, head: AnswerHead): JsonObject {
  if (result.kind !== 'embed') throw new TypeError(`a ${result.kind} result cannot be written as embeddings`)
  const promptTokens = result.usage?.promptTokens ?? 0
  return {
    data: result.vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: call.encoding === 'base64' ? writeBase64(vector) : writeFloats(vector),
    })),
    model: result.model ?? head.servedModel,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  }
}

/** Little-endian float32, what every OpenAI client decodes. */
function writeBase64(vector: ArrayLike<number>): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i] as number, i * 4)
  return bytes.toString('base64')
}

/** A float32 has nine significant digits; more would print the noise of its widening. */
function writeFloats(vector: ArrayLike<number>): Json[] {
  if (vector instanceof Float32Array) return Array.from(vector, (value) => Number(value.toPrecision(9)))
  return Array.from(vector)
}
