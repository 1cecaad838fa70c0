import type { CallKind } from '../core/call.ts'
import { messageBatchEnd } from '../wire/anthropic-messages/batches.ts'
import { anthropicMessagesClient } from '../wire/anthropic-messages/client.ts'
import {
  inferenceChatClient,
  inferenceEmbeddingsClient,
  inferenceImageEmbeddingsClient,
  inferenceImagesClient,
} from '../wire/azure-inference/client.ts'
import { azureBatchEnd, openaiBatchEnd } from '../wire/openai-chat/batches.ts'
import { openaiChatClient } from '../wire/openai-chat/client.ts'
import { openaiCompletionsClient } from '../wire/openai-completions/client.ts'
import { openaiEmbeddingsClient } from '../wire/openai-embeddings/client.ts'
import { openaiResponsesClient } from '../wire/openai-responses/client.ts'
import {
  openaiSpeechClient,
  openaiTranscriptionsClient,
  openaiTranslationsClient,
} from '../wire/passed/openai-audio/client.ts'
import { openaiImageEditsClient, openaiImagesClient } from '../wire/passed/openai-images/client.ts'
import { openaiModerationsClient } from '../wire/passed/openai-moderations/client.ts'
import { rerankClient, rerankSecondClient } from '../wire/passed/rerank/client.ts'
import type { BatchEnd, ClientEnd } from '../wire/wire.ts'

/** How a credential is sent: as a bearer token, in the header of that name, or not at all. */
export const authKinds = ['bearer', 'api-key', 'x-api-key', 'none'] as const
export type AuthKind = (typeof authKinds)[number]

/** The APIs that upstreams answer chats with. One that has both gets each call in the one that its caller speaks. */
export const chatApis = ['chat-completions', 'responses'] as const
export type ChatApi = (typeof chatApis)[number]

/** What is particular to a kind of upstream. A provider that speaks a known wire is one entry here, or only configuration. */
export type Preset = {
  readonly clientEnds: Readonly<Partial<Record<CallKind, ClientEnd>>>
  /** Path below the base URL, with query. */
  path(kind: CallKind, model: string, apiVersion: string): string
  /** The other API that chats may be asked with, and its path. */
  readonly responses?: { readonly end: ClientEnd; path(apiVersion: string): string }
  /** A request that costs no tokens and tells whether server and credential are right. */
  probePath(apiVersion: string): string
  readonly apiVersion: string
  readonly auth: AuthKind
  /** The oldest version whose streams can be asked for their usage. */
  readonly usageSince: string
  /** Present where whole batches are taken. `path` is below the base URL, of one that the end gives. */
  readonly batches?: { readonly end: BatchEnd; path(below: string, apiVersion: string): string }
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

/** Dated versions from this one on have responses; the words for the newest versions are a surface of their own. */
const responsesSince = '2025-03-01-preview'

function responsesPath(apiVersion: string): string {
  if (!/^\d/.test(apiVersion)) return `/openai/v1/responses?api-version=${apiVersion}`
  return `/openai/responses?api-version=${apiVersion < responsesSince ? responsesSince : apiVersion}`
}

export const presets = {
  openai: {
    clientEnds: { ...openaiEnds, moderate: openaiModerationsClient, rerank: rerankClient },
    path: (kind) => operations[kind],
    responses: { end: openaiResponsesClient, path: () => '/responses' },
    probePath: () => '/models',
    batches: { end: openaiBatchEnd, path: (below) => below },
    apiVersion: '',
    usageSince: '',
    auth: 'bearer',
  },
  'azure-openai': {
    clientEnds: openaiEnds,
    path: (kind, model, apiVersion) =>
      `/openai/deployments/${encodeURIComponent(model)}${operations[kind]}?api-version=${versionFor(kind, apiVersion)}`,
    responses: { end: openaiResponsesClient, path: responsesPath },
    probePath: (apiVersion) => `/openai/models?api-version=${apiVersion}`,
    batches: {
      end: azureBatchEnd,
      path: (below, apiVersion) => `/openai${below}${below.includes('?') ? '&' : '?'}api-version=${apiVersion}`,
    },
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
    batches: { end: messageBatchEnd, path: (below) => below },
    apiVersion: '2023-06-01',
    usageSince: '',
    auth: 'x-api-key',
    headers: (apiVersion) => ({ 'anthropic-version': apiVersion }),
  },
} as const satisfies Record<string, Preset>

export type Protocol = keyof typeof presets
export const protocols = Object.keys(presets) as Protocol[]
/** Those whose upstreams take whole batches. */
export const protocolsWithBatches = protocols.filter((name) => 'batches' in presets[name])
