import type { JsonObject } from '../../../../core/json.ts'
import type { ItemRow } from '../../../../port/tables/runs/port.ts'
import { besideOf, type HostedCall } from '../../kept-beside.ts'
import type { Course } from '../course.ts'
import { unlessHalted } from '../halt.ts'
import type { MakeItem } from '../make-item.ts'
import type { MarkReader } from '../marks.ts'
import { finishItem } from './hosted-calls.ts'
import type { RunTools } from './tools.ts'

export type ApprovalParts = {
  readonly course: Course
  readonly tools: RunTools
  /** With the requests, and the caller's answers to them. */
  readonly context: readonly ItemRow[]
  readonly marks: MarkReader
  readonly makeItem: MakeItem
  readonly signal: AbortSignal
  readonly now: () => number
}

/**
 * Does what the caller has agreed to since an earlier run asked him, and resolves to what the model is told of what he has not. Whoever goes on
 * with the run after a crash does what has no item yet.
 */
export async function answerApprovals(parts: ApprovalParts): Promise<readonly JsonObject[]> {
  const { course, tools, context, marks, makeItem, signal, now } = parts
  const requests = new Map(context.filter(({ type }) => type === 'mcp_approval_request').map((row) => [row.id, row]))
  const answered = new Set(course.made.map(({ extras }) => extras.approval))
  const told: JsonObject[] = []
  for (const { type, document, runId } of context) {
    const requestId = document.approval_request_id
    if (type !== 'mcp_approval_response' || typeof requestId !== 'string') continue
    const request = requests.get(requestId)
    if (!request || runId !== course.run.id || answered.has(requestId)) continue
    const asked = besideOf(request).call ?? callOf(request)
    const item = makeItem('mcp_call', 'mcp_', { type: 'mcp_call' }, '', { approval: requestId })
    for (const { resume } of tools.open) {
      const index = course.made.length
      const outcome = await unlessHalted(
        resume?.(item.id, { ...request.document, id: request.id }, document, (progress) => {
          if (course.made[index]?.id === item.id) course.tell({ type: 'tool-progress', item, index, progress })
        }) ?? Promise.resolve(undefined),
        signal,
      )
      if (!outcome) continue
      if ('refused' in outcome) told.push(...writePair(asked, outcome.refused))
      else {
        if (outcome.citations) marks.know(outcome.citations)
        course.add(item)
        course.finish(finishItem(item, asked, outcome, now()))
        await unlessHalted(course.commit(), signal)
      }
      break
    }
  }
  return told
}

/** A request that the caller sends himself, since nothing of it was kept. */
function callOf({ id, document }: ItemRow): HostedCall {
  return { call_id: id, name: String(document.name ?? ''), arguments: String(document.arguments ?? '{}') }
}

function writePair({ call_id, name, arguments: text }: HostedCall, output: string): JsonObject[] {
  return [
    { type: 'function_call', call_id, name, arguments: text },
    { type: 'function_call_output', call_id, output },
  ]
}
