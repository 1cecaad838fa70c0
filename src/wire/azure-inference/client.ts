import { Fault } from '../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { spliceModel } from '../../core/text/splice-model.ts'
import { openaiChatClient } from '../openai-chat/client.ts'
import { openaiEmbeddingsClient } from '../openai-embeddings/client.ts'
import { readOpenAIFault } from '../openai-upstream-fault.ts'
import type { ClientEnd, UpstreamBody } from '../wire.ts'
import { chatKeys, wireName as chatWire } from './chat-server.ts'
import { embeddingKeys, wireName as embeddingsWire } from './embeddings-server.ts'

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
    return withExtras(JSON.stringify(body), body, chatKeys)
  },
  readFault: readInferenceFault,
}

export const inferenceEmbeddingsClient: ClientEnd = {
  ...openaiEmbeddingsClient,
  wire: embeddingsWire,
  writeCall(call, model) {
    const { text } = openaiEmbeddingsClient.writeCall({ ...call, source: undefined }, model)
    const body: JsonObject = JSON.parse(text)
    return withExtras(text, body, embeddingKeys)
  },
  readFault: readInferenceFault,
}

function withExtras(text: string, body: JsonObject, known: ReadonlySet<string>): UpstreamBody {
  const hasExtras = Object.keys(body).some((key) => !known.has(key))
  return hasExtras ? { text, headers: { 'extra-parameters': 'pass-through' } } : { text }
}

/** Besides OpenAI's shape this API sends `{"detail": ...}` with 400 and 422, and names an unknown model with 400. */
function readInferenceFault(status: number, retryAfterMs: number | undefined, text: string): Fault {
  const body = parseObject(text)
  const code = isJsonObject(body?.error) ? body.error.code : undefined
  if (code === 'unknown_model' || code === 'no_model_name') {
    return new Fault('upstream-misconfigured', 'The backend does not know the model configured for it.')
  }
  const fault = readOpenAIFault(status, retryAfterMs, text)
  if (fault.code !== 'upstream-rejected' || !body) return fault
  const message = typeof body.detail === 'string' ? body.detail : fault.message
  return new Fault('upstream-rejected', message, { ...fault.detail, upstream: { wire: 'azure-inference', body } })
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
