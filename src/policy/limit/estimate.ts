import { type Call, type ContentPart, isPassCall, type Message, type TextInput } from '../../core/call.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/**
 * What a call may cost in tokens, before anybody has counted. No tokenizer: this runs on every request, and what was wrong is put
 * right when the call has ended.
 */

/**
 * Bytes of UTF-8 and not characters: for English they are the same, and languages whose characters take two or three bytes are cut into
 * more tokens by about as much.
 */
const bytesPerToken = 4
/** What a chat template puts around a message, and where the answer begins. */
const bytesPerMessage = 4 * bytesPerToken
const bytesPerReply = 3 * bytesPerToken
/** What stands around a name and its value in JSON. */
const bytesPerField = 4
/** An image of 1024 x 1024 as OpenAI's larger models see it, and one of low detail of any size. */
const imageTokens = 765
const smallImageTokens = 85
/** Half a minute of sound, at ten tokens a second. */
const soundTokens = 300
/** From here on a text without a space is taken for a file in Base64, whose size says nothing about its tokens. */
const fileTextLength = 512

export type Estimate = {
  readonly promptTokens: number
  /** The most that all answers together may have. */
  readonly completionTokens: number
  /** Whether the caller set no limit, so that `completionTokens` is only what answers are usually like. */
  readonly isGuess: boolean
}

export type EstimateBounds = {
  /** Tokens of one answer where the caller sets no limit. */
  guessTokens(): number
  /** The most that a guess may come to: half of what the tightest limit lets through. */
  readonly mostGuessed: number
  /** The most that a guess may bring the whole call to: nothing is refused for ever because of a guess. */
  readonly mostTokens: number
  /** Tokens the model can answer with, where known. */
  readonly maxOutputTokens: number | undefined
}

/** Tokens of the prompt and of the answers. Calls that bring no text, such as forms, cost none. */
export function estimateCall(call: Call, bounds: EstimateBounds): Estimate {
  const promptTokens = estimatePrompt(call)
  if (isPassCall(call) || call.kind === 'embed') return { promptTokens, completionTokens: 0, isGuess: false }
  const most = bounds.maxOutputTokens ?? Number.POSITIVE_INFINITY
  const answers = countAnswers(call)
  if (call.maxTokens !== undefined) {
    return { promptTokens, completionTokens: Math.min(call.maxTokens, most) * answers, isGuess: false }
  }
  const guess = Math.min(bounds.guessTokens(), most) * answers
  const room = Math.max(1, Math.floor(Math.min(bounds.mostGuessed, bounds.mostTokens - promptTokens)))
  return { promptTokens, completionTokens: Math.min(guess, room), isGuess: true }
}

/** How many answers the model writes, those included of which only the best are shown. */
export function countAnswers(call: Call): number {
  if (call.kind === 'chat') return call.n
  if (call.kind === 'completion') return Math.max(call.n, call.bestOf ?? 1) * call.prompts.length
  return 0
}

export function estimatePrompt(call: Call): number {
  if (isPassCall(call)) return toTokens(call.source ? measureJson(call.source.body) : 0)
  switch (call.kind) {
    case 'embed':
      return countInputs(call.inputs)
    case 'completion':
      return countInputs(call.prompts) + toTokens(measureText(call.suffix))
    case 'chat': {
      let bytes = bytesPerReply
      for (const message of call.messages) bytes += measureMessage(message)
      if (call.tools) {
        for (const { name, description, parameters } of call.tools) {
          bytes += bytesPerMessage + measureText(name) + measureText(description) + measureJson(parameters)
        }
      }
      if (call.responseFormat?.type === 'json_schema') bytes += measureJson(call.responseFormat.schema)
      return toTokens(bytes)
    }
  }
}

function toTokens(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken)
}

/** Token ids are what they are. */
function countInputs(inputs: readonly TextInput[]): number {
  let tokens = 0
  for (const input of inputs) tokens += typeof input === 'string' ? toTokens(measureText(input)) : input.length
  return tokens
}

// From here on everything is in bytes of text, or what would come to as many tokens.

function measureText(text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text)
}

function measureMessage({ content, name, toolCalls }: Message): number {
  let bytes = bytesPerMessage + measureText(name)
  if (typeof content === 'string') bytes += measureText(content)
  else if (content) for (const part of content) bytes += measurePart(part)
  if (toolCalls) {
    for (const call of toolCalls) bytes += bytesPerMessage + measureText(call.name) + measureText(call.arguments)
  }
  return bytes
}

function measurePart(part: ContentPart): number {
  switch (part.type) {
    case 'text':
      return measureText(part.text)
    case 'image':
      return bytesPerToken * (part.detail === 'low' ? smallImageTokens : imageTokens)
    case 'audio':
    case 'audio-url':
      return bytesPerToken * soundTokens
    case 'other':
      return measureJson(part.fields)
  }
}

function measureJson(value: Json | JsonObject | undefined): number {
  if (typeof value === 'string') return isFileText(value) ? bytesPerToken * imageTokens : measureText(value)
  if (Array.isArray(value)) {
    let bytes = 0
    for (const item of value) bytes += bytesPerField + measureJson(item)
    return bytes
  }
  if (!isJsonObject(value)) return value === undefined ? 0 : bytesPerField
  let bytes = 0
  for (const key in value) bytes += key.length + bytesPerField + measureJson(value[key])
  return bytes
}

/** A file in Base64, or a `data:` URL: a long text that begins with nothing but printable ASCII without a space. */
function isFileText(text: string): boolean {
  if (text.length < fileTextLength) return false
  for (let i = 0; i < fileTextLength; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f) return false
  }
  return true
}
