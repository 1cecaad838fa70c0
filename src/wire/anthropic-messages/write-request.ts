import type { ChatCall, ResponseFormat, Tool } from '../../core/call.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { dropUndefined } from '../openai-chat/client.ts'
import { refuse, writeExtras } from './extras.ts'
import { wireName } from './schema.ts'
import { writeConversation } from './write-messages.ts'

/** `max_tokens` is required here. Where the caller names none, an answer may be this long. */
const defaultMaxTokens = 4096

/** A call of any protocol as a Messages request. Throws Fault `unsupported-value` naming the field that it cannot say. */
export function writeRequest(call: ChatCall, model: string): JsonObject {
  refuseUnsaid(call)
  const { output_config, ...extras } = writeExtras(call.rest)
  const { system, messages } = writeConversation(call.messages)
  const foreignTools = takeTools(extras)
  const tools = [...(call.tools ?? []).map(writeTool), ...foreignTools]
  const config = { ...(output_config as JsonObject | undefined), ...writeFormat(call.responseFormat) }
  return dropUndefined({
    ...(call.hints?.wire === wireName ? call.hints.fields : undefined),
    ...extras,
    model,
    max_tokens: call.maxTokens ?? defaultMaxTokens,
    system,
    messages,
    temperature: call.temperature,
    top_p: call.topP,
    stop_sequences: call.stop && call.stop.length > 0 ? [...call.stop] : undefined,
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: writeToolChoice(call, tools.length > 0),
    output_config: Object.keys(config).length > 0 ? config : undefined,
    stream: call.stream || undefined,
  })
}

const noField = 'the Messages API has no such field'

function refuseUnsaid(call: ChatCall): void {
  if (call.n > 1) refuse('n', call.n, 'the Messages API gives one answer')
  if (call.seed !== undefined) refuse('seed', call.seed, noField)
  if (call.frequencyPenalty) refuse('frequency_penalty', call.frequencyPenalty, noField)
  if (call.presencePenalty) refuse('presence_penalty', call.presencePenalty, noField)
  if (Object.keys(call.logitBias ?? {}).length > 0) refuse('logit_bias', call.logitBias, noField)
  if (call.logprobs) refuse('logprobs', true, 'the Messages API gives no log probabilities')
  if (call.temperature !== undefined && call.temperature > 1) {
    refuse('temperature', call.temperature, `got ${call.temperature}, and the Messages API takes at most 1`)
  }
}

/** Takes the tools of this protocol alone out of its extra fields, in their order. */
function takeTools(extras: JsonObject): Json[] {
  const names = Object.keys(extras).filter((name) => name.startsWith('tools['))
  return names.map((name) => {
    const tool = extras[name] as Json
    delete extras[name]
    return tool
  })
}

function writeTool(tool: Tool): JsonObject {
  return dropUndefined({
    name: tool.name,
    description: tool.description,
    input_schema: { type: 'object', ...tool.parameters },
    strict: tool.strict,
  })
}

/** A choice without tools says nothing, and is an error here. */
function writeToolChoice(call: ChatCall, hasTools: boolean): JsonObject | undefined {
  const { toolChoice: choice, parallelToolCalls } = call
  if (!hasTools && (choice === undefined || choice === 'auto' || choice === 'none')) return undefined
  if (choice === 'none') return { type: 'none' }
  const limit = parallelToolCalls === false ? { disable_parallel_tool_use: true } : undefined
  if (typeof choice === 'object') return { type: 'tool', name: choice.name, ...limit }
  if (choice === 'required') return { type: 'any', ...limit }
  return choice === undefined && !limit ? undefined : { type: 'auto', ...limit }
}

/** A schema is always kept to here, so `strict` needs no word; the format's name is only a label. */
function writeFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (format === undefined || format.type === 'text') return undefined
  if (format.type === 'json_object') {
    refuse('response_format', 'json_object', 'the Messages API wants a schema; use "json_schema"')
  }
  const { schema, description } = format
  if (!schema) refuse('response_format.json_schema.schema', null, 'the Messages API wants a schema')
  const notes = [description, schema.description].filter((note) => typeof note === 'string')
  return {
    format: { type: 'json_schema', schema: notes.length > 0 ? { ...schema, description: notes.join('\n') } : schema },
  }
}
