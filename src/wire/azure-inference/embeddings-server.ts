import type { EmbedCall } from '../../core/call.ts'
import { randomHex } from '../../core/text/id.ts'
import { toEmbedCall, writeVectors } from '../openai-embeddings/server.ts'
import { readBody } from '../read-body.ts'
import type { ServerEnd } from '../wire.ts'
import { applyExtraParameters, readModelName } from './extra-parameters.ts'
import { writeInferenceFault, writeInferenceStreamFault } from './fault.ts'
import { embeddingKeys, inferenceEmbeddingBodySchema } from './schema.ts'

export const wireName = 'azure-inference-embeddings'

/** Embeddings of the Azure AI Model Inference API. Unlike OpenAI's, the answer has an id. */
export const inferenceEmbeddingsServer: ServerEnd = {
  wire: wireName,
  kind: 'embed',
  routes: [
    { method: 'POST', path: '/models/embeddings', apiVersion: 'required' },
    { method: 'POST', path: '/embeddings', apiVersion: 'required' },
  ],
  readCall(input) {
    const body = applyExtraParameters(input, embeddingKeys)
    const call = toEmbedCall(readBody(inferenceEmbeddingBodySchema, body), body, readModelName(input))
    return body === input.body ? { ...call, source: { wire: wireName, text: input.text, body } } : call
  },
  writeResult(result, call, head) {
    return JSON.stringify({ id: randomHex(), object: 'list', ...writeVectors(result, call as EmbedCall, head) })
  },
  openStream() {
    throw new TypeError('embeddings are not streamed')
  },
  writeFault: writeInferenceFault,
  writeStreamFault: writeInferenceStreamFault,
}
