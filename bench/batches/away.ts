import { checkFiles, findOrphans } from '../../test/support/batches/check-files.ts'
import { takeDatabaseAway } from '../../test/support/batches/outage.ts'
import { startStores } from '../../test/support/batches/stores.ts'
import { startUnevenUpstream } from '../../test/support/batches/upstream.ts'
import { createBatchWorld } from '../../test/support/batches/world.ts'

export type AwayOptions = {
  /** For how long PostgreSQL is away. */
  readonly seconds: number
  readonly lines: number
  /** Whether files lie in S3 and not on disk. */
  readonly hasS3: boolean
}

const shape = { prefix: 'away', lineBytes: 500 }

/** A batch whose PostgreSQL is away for a while, and what callers notice of that. Whether all was well. */
export async function measureAway({ seconds, lines, hasS3 }: AwayOptions): Promise<boolean> {
  const upstream = await startUnevenUpstream()
  const stores = await startStores({ hasS3 })
  const world = await createBatchWorld(upstream, stores.placeOf('away'))
  try {
    const outage = await takeDatabaseAway(world, stores.postgres, { ...shape, lines, seconds })
    const ended = await world.client.get(outage.batchId)
    const { output, error, wrong } = await checkFiles(world.client, ended, { ...shape, lines })
    const orphans = await findOrphans(world.client, [outage.inputId], [ended])
    const { completedBefore, completedAtReturn, endedAfterMs, live } = outage
    for (const text of outage.told) console.error(text)
    for (const text of [...wrong, ...orphans]) console.log(text)
    console.log(
      `away ${seconds} s after ${completedBefore} of ${lines} lines, ${completedAtReturn} noted when it was back; ${ended.status} ${(endedAfterMs / 1000).toFixed(1)} s after that`,
    )
    const again = [...upstream.asked.values()].reduce((sum, times) => sum + times - 1, 0)
    console.log(
      `${output} answers, ${error} errors; ${again} times a line was asked again; ${wrong.length} mistakes, ${orphans.length} files without a batch`,
    )
    console.log(
      `live meanwhile: ${live.calls} calls, ${live.failures.length} failed, p50 ${live.p50Ms.toFixed(1)} p99 ${live.p99Ms.toFixed(1)} ms`,
    )
    return ended.status === 'completed' && wrong.length + orphans.length + live.failures.length === 0
  } finally {
    await world.remove()
    await stores.stop()
    await upstream.stop()
  }
}
