import type { JsonObject } from '../../core/json.ts'
import type { BatchRow } from '../../port/tables/batches/port.ts'
import { createBatch, type Home } from './batches.fixture.ts'
import type { BatchParts, LineAnswer } from './parts.ts'

/** Batches that run to their end. */

export const refuse = (status: number, more: Partial<LineAnswer> = {}): LineAnswer => ({
  status,
  requestId: 'request-x',
  body: JSON.stringify({ error: { code: String(status), message: 'no' } }),
  ...more,
})

export const hang = (): Promise<never> => new Promise(() => {})

export const ids = (lines: readonly JsonObject[]) => lines.map((line) => line.custom_id as string)

export const statusOf = (line: JsonObject | undefined) => (line?.response as JsonObject | null)?.status_code

export type Ended = {
  readonly batch: BatchRow
  readonly output: readonly JsonObject[]
  readonly errors: readonly JsonObject[]
}

/** Starts a batch and a server that works on it; `end` waits for it. */
export async function beginBatch(home: Home, input: string, parts: Partial<BatchParts> = {}) {
  const process = home.open(parts)
  const id = await createBatch(process, home.store.put(input))
  const state = { ended: false, failure: undefined as unknown }
  const finish = (failure?: unknown): void => {
    state.ended = true
    state.failure = failure
  }
  void process.work().then(() => finish(), finish)
  return {
    process,
    id,
    state,
    async end(): Promise<Ended> {
      await home.clock.until(() => state.ended)
      if (state.failure) throw state.failure
      const batch = (await home.table.get(id)) as BatchRow
      return { batch, output: home.store.lines(batch.outputFileId), errors: home.store.lines(batch.errorFileId) }
    },
  }
}
