import { setImmediate as turn } from 'node:timers/promises'
import { toFault } from '../../core/fault.ts'
import type { StoredCompletionsTable } from '../../port/tables/stored-completions/port.ts'
import type { Logger } from '../../telemetry/logger.ts'

export type SweepOptions = {
  readonly table: Pick<StoredCompletionsTable, 'deleteOlder'>
  readonly keepMs: number
  readonly now: () => number
  readonly log: Logger
}

const sweepEveryMs = 60 * 60 * 1000
/** A database that answers one caller after the other must not be busy for long. */
const maxBatch = 200

/** Removes what is older than `keepMs`, now and every hour. Gives back what ends it. */
export function startSweep(options: SweepOptions): () => Promise<void> {
  let isStopped = false
  let running: Promise<void> | undefined
  const run = (): void => {
    running ??= sweep(options, () => isStopped).finally(() => {
      running = undefined
    })
  }
  run()
  const timer = setInterval(run, sweepEveryMs)
  timer.unref()
  return async () => {
    isStopped = true
    clearInterval(timer)
    await running
  }
}

/** Never rejects: what fails is tried again the next time. */
export async function sweep({ table, keepMs, now, log }: SweepOptions, isStopped = () => false): Promise<void> {
  const oldest = now() - keepMs
  let removed = 0
  try {
    let count = maxBatch
    while (count === maxBatch && !isStopped()) {
      count = await table.deleteOlder(oldest, maxBatch)
      removed += count
      await turn()
    }
    if (removed > 0) log.info({ removed }, 'stored completions past their time were removed')
  } catch (error) {
    log.error({}, `stored completions past their time could not be removed: ${toFault(error).message}`)
  }
}
