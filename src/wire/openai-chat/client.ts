import type { Call, ChatCall, ContentPart, Message, Rest, Source } from '../../core/call.ts'
import type { Event, FinishReason, TokenLogprob } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import {
  asNumber,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJsonObject,
  pickUnknown,
  setField,
} from '../../core/json.ts'
import type { Choice, Result } from '../../core/result.ts'
import { randomId } from '../../core/text/id.ts'
import { spliceModel } from '../../core/text/splice-model.ts'
import { spliceUsage } from '../../core/text/splice-usage.ts'
import type { Usage } from '../../core/usage/usage.ts'
import { readOpenAIFault } from '../faults/openai-upstream-fault.ts'
import type { ClientEnd, UpstreamBody } from '../wire.ts'
import { wireName } from './server.ts'

/** Chat completions spoken to an OpenAI-compatible server. Answers are read tolerantly: vendors differ in what they leave out. */
export const openaiChatClient: ClientEnd = {
  wire: wireName,
  kind: 'chat',
  writeCall(call, model, asksUsage = true) {
    if (call.source?.wire === wireName) return relayCall(call, call.source, model, asksUsage)
    return { text: JSON.stringify(writeChat(asChat(call), model, asksUsage)) }
  },
  readResult(body, call) {
    return readChatResult(body, call)
  },
  readEvents: readChatEvents,
  readUsage: readAnswerUsage,
  readFault: readOpenAIFault,
}

/** The caller's own request for `model`. A stream is asked for its usage, which limits and bills are made from, also where the caller did not. */
export function relayCall(call: Call, source: Source, model: string, asksUsage: boolean): UpstreamBody {
  const text = spliceModel(source.text, source.body, model)
  if (!asksUsage || !call.stream || call.includeUsage) return { text }
  return { text: spliceUsage(text, source.body), isUsageOurs: true }
}

export function readAnswerUsage(body: JsonObject): Usage | undefined {
  return readUsage(body.usage)
}

function asChat(call: Call): ChatCall {
  if (call.kind !== 'chat') throw new TypeError(`a ${call.kind} call cannot be written as a chat completion`)
  return call
}

function writeChat(call: ChatCall, model: string, asksUsage: boolean): JsonObject {
  return dropUndefined({
    ...foreignRest(call.rest, 'the request'),
    ...writeSampling(call),
    model,
    messages: call.messages.map(writeMessage),
    max_tokens: call.maxTokens,
    tools: call.tools?.map((tool) => ({
      type: 'function',
      function: dropUndefined({
        name: tool.name,
        description: tool.description,
        parameters: tool.parameters,
        strict: tool.strict,
      }),
    })),
    tool_choice:
      typeof call.toolChoice === 'object'
        ? { type: 'function', function: { name: call.toolChoice.name } }
        : call.toolChoice,
    parallel_tool_calls: call.parallelToolCalls,
    response_format: writeResponseFormat(call),
    n: call.n === 1 ? undefined : call.n,
    logprobs: call.logprobs ? true : undefined,
    top_logprobs: call.logprobs?.top || undefined,
    stream: call.stream || undefined,
    stream_options: call.stream && asksUsage ? { include_usage: true } : undefined,
  })
}

export function writeSampling(
  call: ChatCall | Extract<Call, { kind: 'completion' }>,
): Record<string, Json | undefined> {
  return {
    temperature: call.temperature,
    top_p: call.topP,
    frequency_penalty: call.frequencyPenalty,
    presence_penalty: call.presencePenalty,
    seed: call.seed,
    stop: call.stop as string[] | undefined,
    logit_bias: call.logitBias as JsonObject | undefined,
  }
}

export function dropUndefined(fields: Record<string, Json | undefined>): JsonObject {
  const kept: JsonObject = {}
  for (const key in fields) {
    const value = fields[key]
    if (value !== undefined) setField(kept, key, value)
  }
  return kept
}

/** Dialects that have the same extra fields. */
const siblings: ReadonlySet<string> = new Set([wireName, 'openai-completions', 'openai-embeddings'])

/** A tool is known by its type. */
function nameField(key: string, value: Json | undefined): string {
  const type = key.startsWith('tools[') && isJsonObject(value) ? value.type : undefined
  return typeof type === 'string' ? `${key} of type ${JSON.stringify(type)}` : key
}

/** Fields of a sibling dialect travel on; those of another protocol would be lost, which nobody may overlook. */
export function foreignRest(rest: Rest | undefined, where: string): JsonObject | undefined {
  if (!rest || siblings.has(rest.wire)) return rest?.fields
  const keys = Object.keys(rest.fields)
  const names = keys.map((key) => nameField(key, rest.fields[key]))
  throw new Fault('unsupported-value', `The backend of this deployment cannot take ${names.join(', ')} in ${where}.`, {
    param: keys[0],
    keys,
    input: rest.fields[keys[0] as string],
  })
}

function writeMessage(message: Message): JsonObject {
  return dropUndefined({
    ...foreignRest(message.rest, 'a message'),
    role: message.role,
    content: typeof message.content === 'string' ? message.content : (message.content?.map(writePart) ?? null),
    name: message.name,
    tool_calls: message.toolCalls?.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: call.arguments },
    })),
    tool_call_id: message.toolCallId,
  })
}

function writePart(part: ContentPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return { type: 'image_url', image_url: dropUndefined({ url: part.url, detail: part.detail }) }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } }
    case 'audio-url':
      return { type: 'audio_url', audio_url: { url: part.url } }
    case 'other':
      if (siblings.has(part.wire)) return part.fields
      throw new Fault(
        'unsupported-value',
        `The backend of this deployment cannot take a part of type ${JSON.stringify(part.fields.type)} in a message.`,
      )
  }
}

function writeResponseFormat({ responseFormat: format }: ChatCall): JsonObject | undefined {
  if (format?.type !== 'json_schema') return format && { type: format.type }
  const { name, description, schema, strict } = format
  return { type: 'json_schema', json_schema: dropUndefined({ name, description, schema, strict }) }
}

const resultFields = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'system_fingerprint'])
const choiceFields = new Set(['index', 'finish_reason', 'message', 'logprobs', 'delta'])
const messageFields = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'function_call',
  'reasoning_content',
  'reasoning',
])
/** Padding against traffic analysis is of no use once it has arrived, and some clients take an `error` of null for an error. */
const chunkFields = new Set([...resultFields, 'obfuscation', 'error'])

function readRest(object: JsonObject, known: ReadonlySet<string>): Rest | undefined {
  const fields = pickUnknown(object, known)
  return fields && { wire: wireName, fields }
}

function readChatResult(body: JsonObject, _call: Call): Result {
  if (!Array.isArray(body.choices)) throw new Fault('upstream-failed', "The backend's answer has no choices.")
  return {
    kind: 'chat',
    id: text(body.id),
    model: text(body.model),
    created: asNumber(body.created),
    systemFingerprint: text(body.system_fingerprint),
    usage: readUsage(body.usage),
    choices: body.choices.filter(isJsonObject).map(readChoice),
    rest: readRest(body, resultFields),
  }
}

function readChoice(choice: JsonObject, position: number): Choice {
  const message = isJsonObject(choice.message) ? choice.message : {}
  const toolCalls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isJsonObject) : []
  if (isJsonObject(message.function_call)) toolCalls.push({ id: legacyCallId(), function: message.function_call })
  return {
    index: asNumber(choice.index) ?? position,
    text: text(message.content) ?? null,
    reasoning: text(message.reasoning_content) ?? text(message.reasoning),
    refusal: text(message.refusal),
    toolCalls: toolCalls.length > 0 ? toolCalls.map(readToolCall) : undefined,
    finishReason: readReason(choice.finish_reason),
    logprobs: readLogprobs(choice.logprobs),
    rest: readRest(choice, choiceFields),
    messageRest: readRest(message, messageFields),
  }
}

/** Calls of functions, as some servers still answer, have no id. */
function legacyCallId(): string {
  return `call_${randomId(24)}`
}

function readToolCall(call: JsonObject): { id: string; name: string; arguments: string } {
  const fn = isJsonObject(call.function) ? call.function : {}
  return { id: text(call.id) ?? '', name: text(fn.name) ?? '', arguments: text(fn.arguments) ?? '' }
}

export function readUsage(usage: Json | undefined): Usage | undefined {
  if (!isJsonObject(usage) || typeof usage.prompt_tokens !== 'number') return undefined
  const prompt = isJsonObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {}
  const completion = isJsonObject(usage.completion_tokens_details) ? usage.completion_tokens_details : {}
  return {
    promptTokens: usage.prompt_tokens,
    completionTokens: asNumber(usage.completion_tokens) ?? 0,
    ...(typeof prompt.cached_tokens === 'number' && { cachedTokens: prompt.cached_tokens }),
    ...(typeof completion.reasoning_tokens === 'number' && { reasoningTokens: completion.reasoning_tokens }),
  }
}

const reasons: ReadonlySet<string> = new Set(['stop', 'length', 'tool_calls', 'content_filter'])

/** Some servers invent reasons of their own ("eos", "abort"): whatever ended normally is a stop. */
export function readReason(reason: Json | undefined): FinishReason | null {
  if (typeof reason !== 'string') return null
  if (reason === 'function_call') return 'tool_calls'
  return reasons.has(reason) ? (reason as FinishReason) : 'stop'
}

function readLogprobs(logprobs: Json | undefined): TokenLogprob[] | undefined {
  if (!isJsonObject(logprobs) || !Array.isArray(logprobs.content)) return undefined
  return logprobs.content.filter(isJsonObject).map((token) => ({
    ...readTokenLogprob(token),
    top: Array.isArray(token.top_logprobs) ? token.top_logprobs.filter(isJsonObject).map(readTokenLogprob) : [],
  }))
}

function readTokenLogprob(token: JsonObject): { token: string; logprob: number; bytes: number[] | null } {
  return {
    token: text(token.token) ?? '',
    logprob: asNumber(token.logprob) ?? 0,
    bytes: Array.isArray(token.bytes) ? (token.bytes as number[]) : null,
  }
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A finish reason is always given for every choice that began, also where the upstream forgot it. */
async function* readChatEvents(payloads: AsyncIterable<string>): AsyncGenerator<Event> {
  let hasStarted = false
  const open = new Set<number>()
  const toolsSeen = new Set<string>()
  for await (const payload of payloads) {
    const chunk = parseChunk(payload)
    if (isJsonObject(chunk.error)) throw readOpenAIFault(502, undefined, payload)
    if (!hasStarted && typeof chunk.id === 'string' && chunk.id !== '') {
      hasStarted = true
      yield {
        type: 'answer-start',
        id: chunk.id,
        model: text(chunk.model),
        created: asNumber(chunk.created),
        systemFingerprint: text(chunk.system_fingerprint),
        rest: readRest(chunk, chunkFields),
      }
    } else if (!Array.isArray(chunk.choices) || chunk.choices.length === 0) {
      const rest = readRest(chunk, chunkFields)
      if (rest) yield { type: 'answer-rest', rest }
    }
    if (Array.isArray(chunk.choices)) {
      for (const choice of chunk.choices) {
        if (isJsonObject(choice)) yield* readChoiceDelta(choice, open, toolsSeen)
      }
    }
    const usage = readUsage(chunk.usage)
    if (usage) yield { type: 'usage', usage }
  }
  for (const choice of open) yield { type: 'choice-end', choice, reason: 'stop' }
}

export function parseChunk(payload: string): JsonObject {
  const chunk = parseJsonObject(payload)
  if (chunk) return chunk
  throw new Fault('upstream-failed', "The backend's stream holds an event that is not a JSON object.")
}

function* readChoiceDelta(choice: JsonObject, open: Set<number>, toolsSeen: Set<string>): Generator<Event> {
  const index = asNumber(choice.index) ?? 0
  const delta = isJsonObject(choice.delta) ? choice.delta : {}
  const rest = readRest(choice, choiceFields)
  open.add(index)
  const messageRest = readRest(delta, messageFields)
  if (messageRest) yield { type: 'message-rest', choice: index, rest: messageRest }
  const reasoning = text(delta.reasoning_content) ?? text(delta.reasoning)
  if (reasoning) yield { type: 'reasoning-delta', choice: index, text: reasoning }
  const logprobs = readLogprobs(choice.logprobs)
  if (typeof delta.content === 'string' && (delta.content !== '' || logprobs)) {
    yield { type: 'text-delta', choice: index, text: delta.content, logprobs, rest }
  }
  if (typeof delta.refusal === 'string' && delta.refusal !== '') {
    yield { type: 'refusal-delta', choice: index, text: delta.refusal }
  }
  if (Array.isArray(delta.tool_calls)) {
    for (const call of delta.tool_calls) if (isJsonObject(call)) yield* readToolDelta(call, index, toolsSeen)
  } else if (isJsonObject(delta.function_call)) {
    yield* readToolDelta({ id: legacyCallId(), function: delta.function_call }, index, toolsSeen)
  }
  const reason = readReason(choice.finish_reason)
  if (reason) {
    open.delete(index)
    yield { type: 'choice-end', choice: index, reason, rest }
  }
}

function* readToolDelta(call: JsonObject, choice: number, toolsSeen: Set<string>): Generator<Event> {
  const index = asNumber(call.index) ?? 0
  const fn = isJsonObject(call.function) ? call.function : {}
  const key = `${choice}/${index}`
  if (!toolsSeen.has(key)) {
    toolsSeen.add(key)
    yield { type: 'tool-call-start', choice, index, id: text(call.id) ?? '', name: text(fn.name) ?? '' }
  }
  if (typeof fn.arguments === 'string' && fn.arguments !== '') {
    yield { type: 'tool-call-delta', choice, index, arguments: fn.arguments }
  }
}
