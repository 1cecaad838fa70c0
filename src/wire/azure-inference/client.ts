import type { PassKind } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../../core/json.ts'
import { spliceModel } from '../../core/text/splice-model.ts'
import { readOpenAIFault } from '../faults/openai-upstream-fault.ts'
import { openaiChatClient } from '../openai-chat/client.ts'
import { openaiEmbeddingsClient, writeEmbeddings } from '../openai-embeddings/client.ts'
import { passClient } from '../passed/pass-on.ts'
import type { ClientEnd, UpstreamBody } from '../wire.ts'
import { wireName as chatWire } from './chat-server.ts'
import { wireName as embeddingsWire } from './embeddings-server.ts'
import { imageEmbeddingsKeys, imageEmbeddingsWire, imagesKeys, imagesWire } from './images-server.ts'
import { chatKeys, embeddingKeys } from './schema.ts'

/**
 * The Azure AI Model Inference API spoken to a Foundry resource. Its bodies are OpenAI's less a few keys; keys it does not define
 * travel under `extra-parameters: pass-through`. Usage comes unasked, so `stream_options` is left out.
 */
export const inferenceChatClient: ClientEnd = {
  ...openaiChatClient,
  wire: chatWire,
  writeCall(call, model) {
    const { source } = call
    if (source?.wire === chatWire)
      return withExtras(spliceModel(source.text, source.body, model), source.body, chatKeys)
    const body: JsonObject = JSON.parse(openaiChatClient.writeCall({ ...call, source: undefined }, model).text)
    delete body.stream_options
    // A caller of functions, who cannot take two calls, did not ask for this field; models behind this API may not know it.
    if (call.kind === 'chat' && call.hasLegacyFunctions) delete body.parallel_tool_calls
    return withExtras(JSON.stringify(body), body, chatKeys)
  },
  readFault: readInferenceFault,
}

export const inferenceEmbeddingsClient: ClientEnd = {
  ...openaiEmbeddingsClient,
  wire: embeddingsWire,
  writeCall(call, model) {
    const { source } = call
    if (source?.wire === embeddingsWire) {
      return withExtras(spliceModel(source.text, source.body, model), source.body, embeddingKeys)
    }
    if (call.kind !== 'embed') throw new TypeError(`a ${call.kind} call cannot be written as embeddings`)
    const body = writeEmbeddings(call, model)
    if (call.encoding !== 'float' && call.encoding !== 'base64') body.encoding_format = call.encoding
    return withExtras(JSON.stringify(body), body, embeddingKeys)
  },
  canRelay(body, call) {
    if (call.kind !== 'embed') return false
    // Only the upstream knows how it writes quantised vectors; all others are written anew if something is missing.
    if (call.encoding !== 'float' && call.encoding !== 'base64') return true
    return hasId(body) && (openaiEmbeddingsClient.canRelay?.(body, call) ?? true)
  },
  readFault: readInferenceFault,
}

/** OpenAI's models behind this API answer embeddings without an id, which its clients expect. */
function hasId(body: Uint8Array): boolean {
  const ends = [body.subarray(0, 1024), body.subarray(-1024)]
  return ends.some((end) => /"id"\s*:/.test(Buffer.from(end).toString('latin1')))
}

export const inferenceImageEmbeddingsClient = passInference(imageEmbeddingsWire, 'image-embed', imageEmbeddingsKeys)
export const inferenceImagesClient = passInference(imagesWire, 'inference-image', imagesKeys)

function passInference(wire: string, kind: PassKind, known: ReadonlySet<string>): ClientEnd {
  const end = passClient(wire, kind, readInferenceFault)
  return {
    ...end,
    writeCall: (call, model) => withExtras(end.writeCall(call, model).text, call.source?.body ?? {}, known),
  }
}

function withExtras(text: string, body: JsonObject, known: ReadonlySet<string>): UpstreamBody {
  const hasExtras = Object.keys(body).some((key) => !known.has(key))
  return hasExtras ? { text, headers: { 'extra-parameters': 'pass-through' } } : { text }
}

/** Besides OpenAI's shape this API sends `{"detail": ...}` with 400 and 422, and names an unknown model with 400. */
function readInferenceFault(status: number, retryAfterMs: number | undefined, text: string): Fault {
  const body = parseJsonObject(text)
  const code = isJsonObject(body?.error) ? body.error.code : undefined
  if (code === 'unknown_model' || code === 'no_model_name') {
    return new Fault('upstream-misconfigured', 'The backend does not know the model configured for it.')
  }
  const fault = readOpenAIFault(status, retryAfterMs, text)
  if (fault.code !== 'upstream-rejected' || !body || !isErrorBody(body)) return fault
  const message = typeof body.detail === 'string' ? body.detail : fault.message
  return new Fault('upstream-rejected', message, { ...fault.detail, upstream: { wire: 'azure-inference', body } })
}

/** Whether clients of this API find in it what they look for. */
function isErrorBody({ error, detail }: JsonObject): boolean {
  if (typeof detail === 'string' || Array.isArray(detail)) return true
  return isJsonObject(error) && typeof error.code === 'string' && typeof error.message === 'string'
}
