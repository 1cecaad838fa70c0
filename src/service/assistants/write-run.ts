import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import type { RunRow } from '../../port/tables/runs/port.ts'
import { objectsOf } from '../runs/kept-beside.ts'
import { hasEnded } from '../runs/state.ts'
import { seconds } from './write-message.ts'

/** A run as the Assistants API shows it. What it was asked with is in `state.shown`, as the API writes it. */
export function writeRun(run: RunRow): JsonObject {
  const { status, endedAt, state } = run
  const shown = isJsonObject(state.shown) ? state.shown : {}
  const ended = endedAt === undefined ? null : seconds(endedAt)
  const endedAs = (...names: readonly string[]): number | null => (names.includes(status) ? ended : null)
  return {
    id: run.id,
    object: 'thread.run',
    created_at: seconds(run.createdAt),
    assistant_id: run.assistantId ?? null,
    thread_id: run.threadId ?? null,
    status,
    started_at: run.startedAt === undefined ? null : seconds(run.startedAt),
    expires_at: run.expiresAt === undefined || hasEnded(run) ? null : seconds(run.expiresAt),
    cancelled_at: endedAs('cancelled'),
    failed_at: endedAs('failed'),
    completed_at: endedAs('completed', 'incomplete'),
    required_action: status === 'requires_action' ? writeAction(objectsOf(state.waiting)) : null,
    last_error: run.lastError ?? null,
    model: run.request.model ?? null,
    instructions: shown.instructions ?? null,
    tools: shown.tools ?? [],
    tool_resources: shown.tool_resources ?? {},
    metadata: run.metadata,
    temperature: shown.temperature ?? 1,
    top_p: shown.top_p ?? 1,
    reasoning_effort: shown.reasoning_effort ?? null,
    max_completion_tokens: state.max_completion_tokens ?? null,
    max_prompt_tokens: state.max_prompt_tokens ?? null,
    truncation_strategy: state.truncation_strategy ?? { type: 'auto', last_messages: null },
    incomplete_details: run.incompleteDetails ?? null,
    usage: writeUsage(run.usage),
    response_format: shown.response_format ?? 'auto',
    tool_choice: shown.tool_choice ?? 'auto',
    parallel_tool_calls: shown.parallel_tool_calls ?? true,
  }
}

function writeAction(calls: readonly JsonObject[]): JsonObject {
  return {
    type: 'submit_tool_outputs',
    submit_tool_outputs: {
      tool_calls: calls.map(({ call_id, name, arguments: text }) => ({
        id: call_id as Json,
        type: 'function',
        function: { name: name as Json, arguments: text as Json },
      })),
    },
  }
}

/** Token counts in the words of this API; null where nothing was counted yet. */
export function writeUsage(usage: JsonObject | undefined): JsonObject | null {
  if (!usage) return null
  const details = isJsonObject(usage.input_tokens_details) ? usage.input_tokens_details : {}
  return {
    prompt_tokens: usage.input_tokens ?? 0,
    completion_tokens: usage.output_tokens ?? 0,
    total_tokens: usage.total_tokens ?? 0,
    prompt_token_details: { cached_tokens: details.cached_tokens ?? 0 },
  }
}
