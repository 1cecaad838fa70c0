import type { CallKind } from '../core/call.ts'
import { anthropicMessagesClient } from '../wire/anthropic-messages/client.ts'
import {
  inferenceChatClient,
  inferenceEmbeddingsClient,
  inferenceImageEmbeddingsClient,
  inferenceImagesClient,
} from '../wire/azure-inference/client.ts'
import { openaiChatClient } from '../wire/openai-chat/client.ts'
import { openaiCompletionsClient } from '../wire/openai-completions/client.ts'
import { openaiEmbeddingsClient } from '../wire/openai-embeddings/client.ts'
import {
  openaiSpeechClient,
  openaiTranscriptionsClient,
  openaiTranslationsClient,
} from '../wire/passed/openai-audio/client.ts'
import { openaiImageEditsClient, openaiImagesClient } from '../wire/passed/openai-images/client.ts'
import { openaiModerationsClient } from '../wire/passed/openai-moderations/client.ts'
import { rerankClient, rerankSecondClient } from '../wire/passed/rerank/client.ts'
import type { ClientEnd } from '../wire/wire.ts'

/** How a credential is sent: as a bearer token, in the header of that name, or not at all. */
export const authKinds = ['bearer', 'api-key', 'x-api-key', 'none'] as const
export type AuthKind = (typeof authKinds)[number]

/** What is particular to a kind of upstream. A provider that speaks a known wire is one entry here, or only configuration. */
export type Preset = {
  readonly clientEnds: Readonly<Partial<Record<CallKind, ClientEnd>>>
  /** Path below the base URL, with query. */
  path(kind: CallKind, model: string, apiVersion: string): string
  /** A request that costs no tokens and tells whether server and credential are right. */
  probePath(apiVersion: string): string
  readonly apiVersion: string
  readonly auth: AuthKind
  /** The oldest version whose streams can be asked for their usage. */
  readonly usageSince: string
  /** Headers that every request carries. */
  headers?(apiVersion: string): Readonly<Record<string, string>>
}

const operations: Readonly<Record<CallKind, string>> = {
  chat: '/chat/completions',
  completion: '/completions',
  embed: '/embeddings',
  image: '/images/generations',
  'image-edit': '/images/edits',
  'inference-image': '/images/generations',
  'image-embed': '/images/embeddings',
  speech: '/audio/speech',
  transcribe: '/audio/transcriptions',
  translate: '/audio/translations',
  moderate: '/moderations',
  rerank: '/rerank',
}

const openaiEnds = {
  chat: openaiChatClient,
  completion: openaiCompletionsClient,
  embed: openaiEmbeddingsClient,
  image: openaiImagesClient,
  'image-edit': openaiImageEditsClient,
  speech: openaiSpeechClient,
  transcribe: openaiTranscriptionsClient,
  translate: openaiTranslationsClient,
}

/** The oldest API versions asked for operations that the usual versions lack. */
const oldestVersions: Readonly<Partial<Record<CallKind, string>>> = {
  'image-edit': '2025-04-01-preview',
  speech: '2025-04-01-preview',
  'inference-image': '2025-05-15-preview',
}

/** Versions are dates, or the words `v1`, `preview` and `latest`, which come after all dates. */
function versionFor(kind: CallKind, apiVersion: string): string {
  const oldest = oldestVersions[kind] ?? ''
  return apiVersion < oldest ? oldest : apiVersion
}

export const presets = {
  openai: {
    clientEnds: { ...openaiEnds, moderate: openaiModerationsClient, rerank: rerankClient },
    path: (kind) => operations[kind],
    probePath: () => '/models',
    apiVersion: '',
    usageSince: '',
    auth: 'bearer',
  },
  'azure-openai': {
    clientEnds: openaiEnds,
    path: (kind, model, apiVersion) =>
      `/openai/deployments/${encodeURIComponent(model)}${operations[kind]}?api-version=${versionFor(kind, apiVersion)}`,
    probePath: (apiVersion) => `/openai/models?api-version=${apiVersion}`,
    apiVersion: '2024-10-21',
    usageSince: '2024-09-01',
    auth: 'api-key',
  },
  foundry: {
    clientEnds: {
      chat: inferenceChatClient,
      embed: inferenceEmbeddingsClient,
      'image-embed': inferenceImageEmbeddingsClient,
      'inference-image': inferenceImagesClient,
      rerank: rerankSecondClient,
    },
    path: (kind, _model, apiVersion) =>
      kind === 'rerank'
        ? '/providers/cohere/v2/rerank'
        : `/models${operations[kind]}?api-version=${versionFor(kind, apiVersion)}`,
    probePath: (apiVersion) => `/models/info?api-version=${apiVersion}`,
    apiVersion: '2024-05-01-preview',
    usageSince: '',
    auth: 'api-key',
  },
  anthropic: {
    clientEnds: { chat: anthropicMessagesClient },
    path: () => '/v1/messages',
    probePath: () => '/v1/models?limit=1',
    apiVersion: '2023-06-01',
    usageSince: '',
    auth: 'x-api-key',
    headers: (apiVersion) => ({ 'anthropic-version': apiVersion }),
  },
} as const satisfies Record<string, Preset>

export type Protocol = keyof typeof presets
export const protocols = Object.keys(presets) as Protocol[]
