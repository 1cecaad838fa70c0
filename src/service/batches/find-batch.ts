import { Fault } from '../../core/fault.ts'
import type { ServiceRequest } from '../../core/service-route.ts'
import type { BatchesTable, BatchRow } from '../../port/tables/batches/port.ts'
import { ownerOf } from '../stored-completions/owner.ts'

/** Nothing else goes near the database. */
export function canBeBatchId(text: string): boolean {
  return /^batch_[0-9a-f]{32}$/.test(text)
}

/** Finds the batch that a path names with `{batch_id}`. Rejects with Fault `not-found`, also where it is somebody else's. */
export function createFindBatch(
  table: Pick<BatchesTable, 'get'>,
): (request: Pick<ServiceRequest, 'caller' | 'params'>) => Promise<BatchRow> {
  return async ({ caller, params }) => {
    const id = params.batch_id as string
    const batch = canBeBatchId(id) ? await table.get(id) : undefined
    if (batch && batch.owner === ownerOf(caller)) return batch
    throw new Fault(
      'not-found',
      `There is no batch ${JSON.stringify(id.slice(0, 64))}. A key finds its own batches only.`,
      { param: 'batch_id' },
    )
  }
}
