import { Fault } from '../../core/fault.ts'
import type { ServiceAnswer, ServiceEvent, ServiceRequest, ServiceRoute } from '../../core/service-route.ts'
import { type StartTimer, startRealTimer } from '../../policy/limit/wait-queue.ts'
import type { BatchesTable } from '../../port/tables/batches/port.ts'
import { createFindBatch } from '../batches/find-batch.ts'
import { batchActions, batchSurfaces } from '../batches/routes.ts'
import { writeBatch } from '../batches/write-batch.ts'
import { shareReads, type WatchWorld, watchBatch } from './watch-batch.ts'

export type BatchStreamsParts = {
  readonly table: Pick<BatchesTable, 'get'>
  /** Unix milliseconds. */
  readonly now: () => number
  /** `setTimeout` when absent. */
  readonly startTimer?: StartTimer | undefined
  /** `Math.random` when absent. */
  readonly random?: (() => number) | undefined
}

export type BatchStreams = {
  readonly routes: readonly ServiceRoute[]
  /** Ends all streams, and those that are still asked for: a server that stops does not wait for batches. */
  close(): void
}

/** An owner that has more of them open has forgotten some. */
const mostPerOwner = 100
const freshMs = 400

/**
 * `GET .../batches/{id}/events`, an extension of ours: the batch whenever it has changed, as an event stream that ends when the batch has. Each
 * event is the batch as a GET shows it.
 */
export function createBatchStreams(parts: BatchStreamsParts): BatchStreams {
  const { table, now, startTimer = startRealTimer, random = Math.random } = parts
  const find = createFindBatch(table)
  const world: WatchWorld = { read: shareReads((id) => table.get(id), startTimer, freshMs), now, startTimer, random }
  const open = new Map<AbortController, string>()
  let isClosed = false

  async function answer(request: ServiceRequest): Promise<ServiceAnswer> {
    const { id, owner } = await find(request)
    const count = [...open.values()].filter((other) => other === owner).length
    if (count >= mostPerOwner) {
      throw new Fault(
        'rate-limited',
        `${count} streams of batch events are open for this key, and there may be ${mostPerOwner}. Close some, or ask for the batches themselves: GET /openai/v1/batches/{id}.`,
        { retryAfterMs: 10_000 },
      )
    }
    return { status: 200, events: stream(id, owner, request.signal) }
  }

  async function* stream(id: string, owner: string, gone: AbortSignal): AsyncGenerator<ServiceEvent, undefined> {
    // Not one signal made of two: the server's would keep those of all streams there ever were.
    const ending = new AbortController()
    const end = (): void => ending.abort()
    if (gone.aborted || isClosed) return
    gone.addEventListener('abort', end, { once: true })
    open.set(ending, owner)
    try {
      for await (const batch of watchBatch(id, world, ending.signal)) yield { data: writeBatch(batch) }
    } finally {
      open.delete(ending)
      gone.removeEventListener('abort', end)
    }
  }

  return {
    routes: batchSurfaces.map(({ base, apiVersion }) => ({
      method: 'GET',
      path: `${base}/{batch_id}/events`,
      action: batchActions.read,
      apiVersion,
      answer,
    })),
    close() {
      isClosed = true
      for (const ending of open.keys()) ending.abort()
    },
  }
}
