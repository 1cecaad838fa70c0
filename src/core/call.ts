import type { JsonObject } from './json.ts'

export type CallKind = 'chat' | 'completion' | 'embed'

/** Fields of one protocol that the canonical form does not name. Only the same protocol may send them on. */
export type Rest = { readonly wire: string; readonly fields: JsonObject }

/** The request as the client sent it, kept so that the same protocol at both ends can relay it unchanged. */
export type Source = { readonly wire: string; readonly text: string; readonly body: JsonObject }

type CallBase = {
  /** The deployment as the caller named it; empty when the request names none. */
  readonly deployment: string
  readonly stream: boolean
  /** Whether the caller asked for a usage item at the end of a stream. */
  readonly includeUsage: boolean
  readonly rest?: Rest | undefined
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

export type EmbedCall = CallBase & {
  readonly kind: 'embed'
  readonly inputs: readonly TextInput[]
  readonly dimensions?: number | undefined
  /** How the caller wants the vectors written. */
  readonly encoding: 'float' | 'base64'
  readonly inputType?: string | undefined
}

/** One inference request in canonical form. Never changed after it was read; a policy that must change it makes a new one without `source`. */
export type Call = ChatCall | CompletionCall | EmbedCall
