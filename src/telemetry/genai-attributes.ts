import type { CallKind } from '../core/call.ts'

/**
 * The names of OpenTelemetry's conventions for generative AI, all in one place, since they are still in development:
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/
 */

export const genAi = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  requestTemperature: 'gen_ai.request.temperature',
  requestTopP: 'gen_ai.request.top_p',
  requestChoiceCount: 'gen_ai.request.choice.count',
  requestStream: 'gen_ai.request.stream',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  tokenType: 'gen_ai.token.type',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
} as const

export const attributes = {
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
} as const

export const genAiMetrics = {
  operationDuration: 'gen_ai.client.operation.duration',
  tokenUsage: 'gen_ai.client.token.usage',
  requestDuration: 'gen_ai.server.request.duration',
  timeToFirstToken: 'gen_ai.server.time_to_first_token',
  timePerOutputToken: 'gen_ai.server.time_per_output_token',
} as const

/** What this server is called as one that answers; a backend is whatever the operator put there. */
export const provider = 'azure.ai.openai'

const operations: Partial<Record<CallKind, string>> = {
  chat: 'chat',
  completion: 'text_completion',
  embed: 'embeddings',
  'image-embed': 'embeddings',
}

/** Those that the conventions have no word for go by ours. */
export function operationOf(kind: CallKind | ''): string {
  return kind === '' ? 'unknown' : (operations[kind] ?? kind)
}

/** The address of a backend, of its id: those that are no server have none. */
export function addressOf(backend: string): { readonly address: string; readonly port: number } | undefined {
  const url = /^https?:/.test(backend) ? URL.parse(backend) : null
  if (!url) return undefined
  return { address: url.hostname, port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) }
}
