import type { JsonObject } from '../../../core/json.ts'
import type { ItemRow, RunRow } from '../../../port/tables/runs/port.ts'
import type { RunWorld } from '../parts.ts'

/** A new item that a run makes, in progress. */
export type MakeItem = (
  type: string,
  prefix: string,
  document: JsonObject,
  stepId: string,
  extras?: JsonObject,
) => ItemRow

export function createMakeItem(run: RunRow, { makeId, now }: Pick<RunWorld, 'makeId' | 'now'>): MakeItem {
  const { owner, threadId, assistantId } = run
  return (type, prefix, document, stepId, extras) => ({
    id: makeId(prefix),
    owner,
    homeId: threadId ?? run.id,
    runId: run.id,
    isInput: false,
    ...(stepId !== '' && { stepId }),
    type,
    status: 'in_progress',
    document,
    extras: { ...(assistantId !== undefined && { assistant_id: assistantId }), ...extras },
    createdAt: now(),
  })
}
