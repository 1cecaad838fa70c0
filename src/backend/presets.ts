import type { CallKind } from '../core/call.ts'
import { inferenceChatClient, inferenceEmbeddingsClient } from '../wire/azure-inference/client.ts'
import { openaiChatClient } from '../wire/openai-chat/client.ts'
import { openaiCompletionsClient } from '../wire/openai-completions/client.ts'
import { openaiEmbeddingsClient } from '../wire/openai-embeddings/client.ts'
import type { ClientEnd } from '../wire/wire.ts'

/** What is particular to a kind of upstream. A provider that speaks a known wire is one entry here, or only configuration. */
export type Preset = {
  readonly clientEnds: Readonly<Partial<Record<CallKind, ClientEnd>>>
  /** Path below the base URL, with query. */
  path(kind: CallKind, model: string, apiVersion: string): string
  /** A request that costs no tokens and tells whether server and credential are right. */
  probePath(apiVersion: string): string
  readonly apiVersion: string
  readonly auth: 'bearer' | 'api-key'
}

const operations: Readonly<Record<CallKind, string>> = {
  chat: '/chat/completions',
  completion: '/completions',
  embed: '/embeddings',
}

const openaiEnds = { chat: openaiChatClient, completion: openaiCompletionsClient, embed: openaiEmbeddingsClient }

export const presets = {
  openai: {
    clientEnds: openaiEnds,
    path: (kind) => operations[kind],
    probePath: () => '/models',
    apiVersion: '',
    auth: 'bearer',
  },
  'azure-openai': {
    clientEnds: openaiEnds,
    path: (kind, model, apiVersion) =>
      `/openai/deployments/${encodeURIComponent(model)}${operations[kind]}?api-version=${apiVersion}`,
    probePath: (apiVersion) => `/openai/models?api-version=${apiVersion}`,
    apiVersion: '2024-10-21',
    auth: 'api-key',
  },
  foundry: {
    clientEnds: { chat: inferenceChatClient, embed: inferenceEmbeddingsClient },
    path: (kind, _model, apiVersion) => `/models${operations[kind]}?api-version=${apiVersion}`,
    probePath: (apiVersion) => `/models/info?api-version=${apiVersion}`,
    apiVersion: '2024-05-01-preview',
    auth: 'api-key',
  },
} as const satisfies Record<string, Preset>

export type Protocol = keyof typeof presets
