import type { EmbedCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { randomHex } from '../../core/id.ts'
import type { JsonObject } from '../../core/json.ts'
import { readEmbed, writeVectors } from '../openai-embeddings/server.ts'
import type { ServerEnd } from '../wire.ts'
import { applyExtraParameters, readModelName } from './extra-parameters.ts'
import { writeInferenceFault, writeInferenceStreamFault } from './fault.ts'

export const wireName = 'azure-inference-embeddings'

export const embeddingKeys: ReadonlySet<string> = new Set([
  'input',
  'model',
  'dimensions',
  'encoding_format',
  'input_type',
])

const unsupportedEncodings: ReadonlySet<unknown> = new Set(['int8', 'uint8', 'binary', 'ubinary'])

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
    refuseQuantised(body)
    return readEmbed(body, readModelName(input))
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

/** Encodings the API defines and no backend here can give yet. */
function refuseQuantised(body: JsonObject): void {
  if (!unsupportedEncodings.has(body.encoding_format)) return
  throw new Fault(
    'unsupported-value',
    `The model does not support encoding_format ${JSON.stringify(body.encoding_format)}; use "float" or "base64".`,
    { param: 'encoding_format', input: body.encoding_format },
  )
}
