import type { Call, ChatCall, Rest } from '../../../core/call.ts'
import type { FinishReason } from '../../../core/event.ts'
import type { Explanation, FilterResults } from '../../../core/filter/results.ts'
import type { Json, JsonObject } from '../../../core/json.ts'
import { randomHex } from '../../../core/text/id.ts'
import type { Usage } from '../../../core/usage/usage.ts'
import { explanationFields } from '../../filter/annotations.ts'
import { mergeFilterResults } from '../../filter/merge-results.ts'
import type { AnswerHead } from '../../wire.ts'
import { asObject } from '../extras.ts'
import { wireName } from '../schema.ts'
import { writeUsage } from '../usage.ts'

/** What is known of an answer when it is told. */
export type Told = {
  readonly id: string
  readonly created: number
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  readonly output: readonly JsonObject[]
  readonly reason?: FinishReason | null | undefined
  readonly error?: JsonObject | undefined
  readonly usage?: Usage | undefined
  readonly promptFilter?: FilterResults | undefined
  readonly filter?: FilterResults | undefined
  readonly explanations?: readonly Explanation[] | undefined
  readonly rest?: Rest | undefined
  readonly choiceRest?: Rest | undefined
}

/** An id of the shape that the service gives: 48 hexadecimal digits. */
export function newId(prefix: 'resp' | 'msg' | 'fc' | 'rs'): string {
  return `${prefix}_${randomHex()}${randomHex().slice(0, 16)}`
}

/** That of an upstream of this protocol is kept, since its other side knows the response by it. */
export function responseId(id: string | undefined): string {
  return id?.startsWith('resp_') ? id : newId('resp')
}

/** How an answer has ended: one that was cut short is incomplete, and says why. */
export function statusOf(reason: FinishReason | null): 'completed' | 'incomplete' {
  return reason === 'length' || reason === 'content_filter' ? 'incomplete' : 'completed'
}

/** The request as it came; of a call that was not read by this wire nothing is known of it. */
export function requestOf(call: Call): JsonObject {
  return call.hints?.wire === wireName ? call.hints.fields : {}
}

/** The whole `response` object: what the request set, what is so by default, and what has come of it. */
export function writeResponseObject(call: ChatCall, head: AnswerHead, told: Told): JsonObject {
  const asked = requestOf(call)
  const or = (name: string, usual: Json): Json => asked[name] ?? usual
  const { reason = null, status } = told
  const { format, verbosity } = asObject(asked.text)
  const { effort, summary, generate_summary } = asObject(asked.reasoning)
  return {
    ...(told.rest?.wire === wireName ? told.rest.fields : undefined),
    id: told.id,
    object: 'response',
    created_at: told.created,
    status,
    background: false,
    completed_at: status === 'completed' ? (head.now?.() ?? head.created) : null,
    ...writeContentFilters(call, told),
    ...explanationFields(told.explanations),
    error: told.error ?? null,
    frequency_penalty: 0,
    incomplete_details:
      status === 'incomplete' ? { reason: reason === 'content_filter' ? reason : 'max_output_tokens' } : null,
    instructions: or('instructions', null),
    max_output_tokens: or('max_output_tokens', null),
    max_tool_calls: or('max_tool_calls', null),
    model: call.deployment,
    output: told.output as JsonObject[],
    parallel_tool_calls: or('parallel_tool_calls', true),
    presence_penalty: 0,
    previous_response_id: null,
    prompt_cache_key: or('prompt_cache_key', null),
    prompt_cache_retention: or('prompt_cache_retention', null),
    reasoning: { effort: effort ?? null, summary: summary ?? generate_summary ?? null },
    safety_identifier: or('safety_identifier', null),
    service_tier: head.serviceTier ?? or('service_tier', 'default'),
    store: false,
    temperature: or('temperature', 1),
    text: { format: format ?? { type: 'text' }, verbosity: verbosity ?? 'medium' },
    tool_choice: or('tool_choice', 'auto'),
    tools: writeTools(asked.tools),
    top_logprobs: or('top_logprobs', 0),
    top_p: or('top_p', 1),
    truncation: or('truncation', 'disabled'),
    usage: told.usage ? writeUsage(told.usage) : null,
    user: or('user', null),
    metadata: or('metadata', {}),
  }
}

/** Clients of typed languages count on all fields of a function. */
function writeTools(tools: Json | undefined): Json {
  if (!Array.isArray(tools)) return []
  return tools.map((tool) => {
    const raw = asObject(tool)
    return raw.type === 'function' ? { description: null, parameters: null, strict: null, ...raw } : raw
  })
}

/**
 * What filters say of the prompt and the answer, ours and those of the upstream as one, as the service annotates responses. Without filters
 * there is no such field.
 */
function writeContentFilters(call: ChatCall, told: Told): { content_filters: JsonObject[] } | undefined {
  const { reason, output } = told
  const prompt = mergeSaid(told.promptFilter, saidOf(told.rest, 'prompt'))
  const completion = mergeSaid(told.filter, saidOf(told.choiceRest, 'completion') ?? saidOf(told.rest, 'completion'))
  if (!prompt && !completion) return undefined
  const entries: JsonObject[] = []
  if (prompt) entries.push(writeContentFilter('prompt', prompt, false, countPrompt(call)))
  if (completion) {
    entries.push(writeContentFilter('completion', completion, reason === 'content_filter', countOutput(output)))
  }
  return { content_filters: entries }
}

function mergeSaid(ours: FilterResults | undefined, theirs: FilterResults | undefined): FilterResults | undefined {
  return ours && theirs ? mergeFilterResults(ours, theirs) : (ours ?? theirs)
}

/** What the upstream says of it, in the words of chats or of this protocol. */
function saidOf(rest: Rest | undefined, source: 'prompt' | 'completion'): FilterResults | undefined {
  const { fields } = rest ?? {}
  if (!fields) return undefined
  const isChat = rest?.wire === 'openai-chat'
  if (isChat && source === 'completion') return asResults(fields.content_filter_results)
  const list = isChat ? fields.prompt_filter_results : rest?.wire === wireName ? fields.content_filters : undefined
  if (!Array.isArray(list)) return undefined
  const entry = list.map(asObject).find((one) => isChat || one.source_type === source)
  return asResults(entry?.content_filter_results)
}

function asResults(value: Json | undefined): FilterResults | undefined {
  const results = asObject(value)
  return Object.keys(results).length > 0 ? results : undefined
}

function writeContentFilter(source: string, results: FilterResults, blocked: boolean, chars: number): JsonObject {
  return {
    blocked,
    source_type: source,
    content_filter_raw: [],
    content_filter_results: results,
    content_filter_offsets: { start_offset: 0, end_offset: chars, check_offset: 0 },
  }
}

function countPrompt({ messages }: ChatCall): number {
  let chars = 0
  for (const { content } of messages) {
    if (typeof content === 'string') chars += content.length
    else for (const part of content ?? []) if (part.type === 'text') chars += part.text.length
  }
  return chars
}

function countOutput(output: readonly JsonObject[]): number {
  let chars = 0
  for (const { content } of output) {
    if (!Array.isArray(content)) continue
    for (const part of content) chars += String(asObject(part).text ?? asObject(part).refusal ?? '').length
  }
  return chars
}
