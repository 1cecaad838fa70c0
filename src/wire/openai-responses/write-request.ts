import type { ChatCall, ResponseFormat, Tool } from '../../core/call.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { dropUndefined } from '../openai-chat/client.ts'
import { refuse, writeExtras } from './extras.ts'
import { wireName } from './schema.ts'
import { writeInput } from './write-input.ts'

const logprobsWanted = 'message.output_text.logprobs'

/** A call of any protocol as a request for a response, which nobody keeps. Throws Fault `unsupported-value` naming the field that it cannot say. */
export function writeRequest(call: ChatCall, model: string): JsonObject {
  refuseUnsaid(call)
  const { fields, reasoning, text } = writeExtras(call.rest, call.hints)
  const { instructions, input } = writeInput(call.messages)
  const isOurs = call.hints?.wire === wireName
  const tools: Json[] = (call.tools ?? []).map((tool) => writeTool(tool, isOurs))
  const format = writeFormat(call.responseFormat)
  const include = Array.isArray(fields.include) ? [...fields.include] : []
  if (call.logprobs && !include.includes(logprobsWanted)) include.push(logprobsWanted)
  for (const name of Object.keys(fields).filter((key) => key.startsWith('tools['))) {
    tools.push(fields[name] as Json)
    delete fields[name]
  }
  return dropUndefined({
    ...fields,
    model,
    instructions,
    input,
    max_output_tokens: call.maxTokens,
    temperature: call.temperature,
    top_p: call.topP,
    tools: tools.length > 0 ? tools : undefined,
    tool_choice:
      fields.tool_choice ??
      (typeof call.toolChoice === 'object' ? { type: 'function', name: call.toolChoice.name } : call.toolChoice),
    parallel_tool_calls: call.parallelToolCalls,
    text: format || Object.keys(text).length > 0 ? { ...(format && { format }), ...text } : undefined,
    reasoning: Object.keys(reasoning).length > 0 ? reasoning : undefined,
    include: include.length > 0 ? include : undefined,
    top_logprobs: call.logprobs?.top || undefined,
    store: false,
    stream: call.stream || undefined,
  })
}

const noField = 'the Responses API has no such field'

function refuseUnsaid(call: ChatCall): void {
  if (call.n > 1) refuse('n', call.n, 'the Responses API gives one answer')
  if (call.seed !== undefined) refuse('seed', call.seed, noField)
  if (call.stop && call.stop.length > 0) refuse('stop', call.stop, noField)
  if (call.frequencyPenalty) refuse('frequency_penalty', call.frequencyPenalty, noField)
  if (call.presencePenalty) refuse('presence_penalty', call.presencePenalty, noField)
  if (Object.keys(call.logitBias ?? {}).length > 0) refuse('logit_bias', call.logitBias, noField)
}

/** Here arguments keep to the schema unless somebody says otherwise, in chats only if somebody says so. */
function writeTool({ name, description, parameters = null as never, strict }: Tool, isOurs: boolean): JsonObject {
  return dropUndefined({
    type: 'function',
    name,
    description,
    parameters: parameters as Json,
    strict: strict ?? (isOurs ? undefined : false),
  })
}

function writeFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (format === undefined) return undefined
  if (format.type !== 'json_schema') return { type: format.type }
  const { name, description, schema, strict } = format
  if (!schema) refuse('response_format.json_schema.schema', null, 'the Responses API wants a schema')
  return dropUndefined({ type: 'json_schema', name, description, schema, strict })
}
