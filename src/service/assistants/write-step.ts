import type { JsonObject } from '../../core/json.ts'
import type { ItemRow, RunRow } from '../../port/tables/runs/port.ts'
import { besideOf, objectsOf } from '../runs/kept-beside.ts'
import { seconds } from './write-message.ts'
import { writeUsage } from './write-run.ts'

/** Items that are steps in this API: a message, or all calls that were asked for together. Thoughts are none. */
export function isStepItem({ type, stepId, isInput }: ItemRow): boolean {
  return !isInput && stepId !== undefined && type !== 'reasoning'
}

/**
 * A run step, of its items in their order. `showsContent`: whether what a file search found is shown whole
 * (`include[]=step_details.tool_calls[*].file_search.results[*].content`).
 */
export function writeStep(run: RunRow, items: readonly ItemRow[], showsContent = false): JsonObject {
  const first = items[0] as ItemRow
  const status = stepStatus(items)
  const last = items.at(-1) as ItemRow
  const endedAt = status === 'in_progress' || last.endedAt === undefined ? null : seconds(last.endedAt)
  const { usage } = besideOf(items.find((item) => besideOf(item).usage) ?? first)
  const isMessage = first.type === 'message'
  return {
    id: first.stepId as string,
    object: 'thread.run.step',
    created_at: seconds(first.createdAt),
    run_id: run.id,
    assistant_id: run.assistantId ?? null,
    thread_id: run.threadId ?? null,
    type: isMessage ? 'message_creation' : 'tool_calls',
    status,
    cancelled_at: status === 'cancelled' ? endedAt : null,
    completed_at: status === 'completed' ? endedAt : null,
    expires_at: status === 'in_progress' && run.expiresAt !== undefined ? seconds(run.expiresAt) : null,
    expired_at: status === 'expired' ? endedAt : null,
    failed_at: status === 'failed' ? endedAt : null,
    last_error:
      status === 'failed' ? (run.lastError ?? { code: 'server_error', message: 'The step was interrupted.' }) : null,
    step_details: isMessage
      ? { type: 'message_creation', message_creation: { message_id: first.id } }
      : { type: 'tool_calls', tool_calls: items.map((item) => writeToolCall(item, showsContent)) },
    usage: status === 'in_progress' ? null : writeUsage(usage),
    metadata: {},
  }
}

type StepStatus = 'in_progress' | 'cancelled' | 'failed' | 'completed' | 'expired'

const byReason: Readonly<Record<string, StepStatus>> = {
  run_cancelled: 'cancelled',
  run_expired: 'expired',
  run_failed: 'failed',
}

export function stepStatus(items: readonly ItemRow[]): StepStatus {
  const statuses = items.map((item): StepStatus => {
    const { status } = item
    if (item.type === 'message' && status === 'incomplete') {
      return byReason[besideOf(item).incomplete_details?.reason ?? ''] ?? 'completed'
    }
    // A tool that answered that something went wrong has done its work.
    if (status === 'failed') return besideOf(item).call?.output === undefined ? 'failed' : 'completed'
    return status === 'incomplete' ? 'completed' : status
  })
  return (
    statuses.find((status) => status === 'in_progress') ??
    statuses.find((status) => status !== 'completed') ??
    'completed'
  )
}

/** One call of a `tool_calls` step. */
export function writeToolCall(item: ItemRow, showsContent: boolean): JsonObject {
  const { document, extras } = item
  switch (item.type) {
    case 'function_call':
      return {
        id: document.call_id ?? item.id,
        type: 'function',
        function: { name: document.name ?? '', arguments: document.arguments ?? '', output: extras.output ?? null },
      }
    case 'code_interpreter_call':
      return {
        id: item.id,
        type: 'code_interpreter',
        code_interpreter: { input: document.code ?? '', outputs: writeOutputs(item) },
      }
    case 'file_search_call':
      return {
        id: item.id,
        type: 'file_search',
        file_search: { results: objectsOf(document.results).map((result) => writeResult(result, showsContent)) },
      }
    default:
      return { id: item.id, type: item.type, [item.type]: document }
  }
}

/** What the code has printed, and the images that it made. */
export function writeOutputs(item: ItemRow): JsonObject[] {
  const logs = objectsOf(item.document.outputs).flatMap(({ type, logs: text }) =>
    type === 'logs' ? [{ type: 'logs', logs: text ?? '' }] : [],
  )
  const images = (besideOf(item).call?.files ?? []).flatMap(({ isImage, fileId }) =>
    isImage ? [{ type: 'image', image: { file_id: fileId } }] : [],
  )
  return [...logs, ...images]
}

function writeResult(result: JsonObject, showsContent: boolean): JsonObject {
  const { file_id, filename, score, text } = result
  return {
    file_id: file_id ?? null,
    file_name: filename ?? null,
    score: score ?? 0,
    ...(showsContent && { content: [{ type: 'text', text: text ?? '' }] }),
  }
}
