import type { JsonObject } from './json.ts'

/**
 * Operations that are passed on in the protocol they came in; nothing crosses to another. `inference-image` is image generation as
 * the inference API has it, whose request and answer are not those of `image`.
 */
export const passKinds = [
  'image',
  'image-edit',
  'inference-image',
  'image-embed',
  'speech',
  'transcribe',
  'translate',
  'moderate',
  'rerank',
] as const

export type PassKind = (typeof passKinds)[number]

export const callKinds = ['chat', 'completion', 'embed', ...passKinds] as const

export type CallKind = (typeof callKinds)[number]

/** What Azure calls the operations in its messages and metrics. */
export const azureOperations: Readonly<Record<CallKind, string>> = {
  chat: 'ChatCompletions_Create',
  completion: 'Completions_Create',
  embed: 'Embeddings_Create',
  image: 'ImageGenerations_Create',
  'image-edit': 'ImageEdits_Create',
  'inference-image': 'ImageGenerations_Create',
  'image-embed': 'ImageEmbeddings_Create',
  speech: 'Speech_Create',
  transcribe: 'Transcriptions_Create',
  translate: 'Translations_Create',
  moderate: 'Moderations_Create',
  rerank: 'Rerank_Create',
}

/** Fields of one protocol that the canonical form does not name. Only the same protocol may send them on. */
export type Rest = { readonly wire: string; readonly fields: JsonObject }

/** The request as the client sent it, kept so that the same protocol at both ends can relay it unchanged. */
export type Source = {
  readonly wire: string
  readonly text: string
  readonly body: JsonObject
  /** Request headers that say how the body is meant; they go along with it. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

type CallBase = {
  /** The deployment as the caller named it; empty when the request names none. */
  readonly deployment: string
  readonly stream: boolean
  /** Whether the caller asked for a usage item at the end of a stream. */
  readonly includeUsage: boolean
  readonly rest?: Rest | undefined
  /** Fields of one protocol that another may leave out, since they only advise: what to cache, whether to think. */
  readonly hints?: Rest | undefined
  readonly source?: Source | undefined
}

export type Sampling = {
  readonly temperature?: number | undefined
  readonly topP?: number | undefined
  readonly frequencyPenalty?: number | undefined
  readonly presencePenalty?: number | undefined
  readonly seed?: number | undefined
  readonly stop?: readonly string[] | undefined
  readonly maxTokens?: number | undefined
  /** Token id to bias, -100..100. */
  readonly logitBias?: Readonly<Record<string, number>> | undefined
}

export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly url: string; readonly detail?: string | undefined }
  | { readonly type: 'audio'; readonly data: string; readonly format: string }
  | { readonly type: 'audio-url'; readonly url: string }
  | { readonly type: 'other'; readonly wire: string; readonly fields: JsonObject }

export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string }

export type Role = 'system' | 'developer' | 'user' | 'assistant' | 'tool' | 'function'

export type Message = {
  readonly role: Role
  readonly content: string | readonly ContentPart[] | null
  readonly name?: string | undefined
  readonly toolCalls?: readonly ToolCall[] | undefined
  readonly toolCallId?: string | undefined
  readonly rest?: Rest | undefined
  /** What means something to one protocol only: the thoughts of an earlier turn, which only the model that had them can use. */
  readonly hints?: Rest | undefined
}

export type Tool = {
  readonly name: string
  readonly description?: string | undefined
  /** JSON Schema of the arguments. */
  readonly parameters?: JsonObject | undefined
  readonly strict?: boolean | undefined
}

export type ToolChoice = 'none' | 'auto' | 'required' | { readonly name: string }

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema'
      readonly name: string
      readonly description?: string | undefined
      readonly schema?: JsonObject | undefined
      readonly strict?: boolean | undefined
    }

export type ChatCall = CallBase &
  Sampling & {
    readonly kind: 'chat'
    readonly messages: readonly Message[]
    readonly tools?: readonly Tool[] | undefined
    readonly toolChoice?: ToolChoice | undefined
    readonly parallelToolCalls?: boolean | undefined
    /** The caller speaks of functions, as chats did before tools: `tools` holds them, and the answer calls at most one. */
    readonly hasLegacyFunctions?: boolean | undefined
    readonly responseFormat?: ResponseFormat | undefined
    /** How many answers; 1 when the caller says nothing. */
    readonly n: number
    /** Present when log probabilities are wanted; `top` is how many alternatives per token. */
    readonly logprobs?: { readonly top: number } | undefined
  }

/** A text or a list of token ids. */
export type TextInput = string | readonly number[]

export type CompletionCall = CallBase &
  Sampling & {
    readonly kind: 'completion'
    readonly prompts: readonly TextInput[]
    readonly suffix?: string | undefined
    readonly echo?: boolean | undefined
    readonly bestOf?: number | undefined
    readonly n: number
    readonly logprobs?: { readonly top: number } | undefined
  }

/** Numbers, little-endian float32, or one of the quantised forms that some models give. */
export type VectorEncoding = 'float' | 'base64' | 'int8' | 'uint8' | 'binary' | 'ubinary'

export type EmbedCall = CallBase & {
  readonly kind: 'embed'
  readonly inputs: readonly TextInput[]
  readonly dimensions?: number | undefined
  /** How the caller wants the vectors written. */
  readonly encoding: VectorEncoding
  readonly inputType?: string | undefined
}

/** A multipart form on its way through. Its files are not held, so it can be read only once. */
export type Form = {
  /** With the boundary. */
  readonly contentType: string
  /** Whether reading has begun: then no other backend can have the form. */
  readonly isSpent: boolean
  /**
   * The form as it came, but for its `model`, which comes first and says `model`. Rejects with a Fault when the rest turns out to be
   * none the caller may send: a field out of range, a file too large, a form that breaks off.
   */
  write(model: string): AsyncIterable<Uint8Array>
}

/** Has `source` when it came as JSON, else `form`. What the upstream answers says whether it is a stream. */
export type PassCall = CallBase & { readonly kind: PassKind; readonly form?: Form | undefined }

const passed: ReadonlySet<CallKind> = new Set(passKinds)

export function isPassCall(call: Call): call is PassCall {
  return passed.has(call.kind)
}

/** What is in canonical form whole, so that any backend can answer it. */
export type ModelCall = ChatCall | CompletionCall | EmbedCall

/** One inference request in canonical form. Never changed after it was read; a policy that must change it makes a new one without `source`. */
export type Call = ModelCall | PassCall
