import { checkFiles, findOrphans } from '../../test/support/batches/check-files.ts'
import { type BatchView, hasEnded, waitForBatch } from '../../test/support/batches/client.ts'
import { startStores } from '../../test/support/batches/stores.ts'
import { startUnevenUpstream, type UnevenUpstream } from '../../test/support/batches/upstream.ts'
import { type BatchWorld, createBatchWorld, killWithin, type Phase } from '../../test/support/batches/world.ts'

export type KillOptions = {
  /** How often a server is killed, in all. */
  readonly points: number
  /** Side by side: after a kill a server has nothing to do until the lease has run out. */
  readonly servers: number
  readonly lines: number
  /** Whether they keep what they have in one PostgreSQL, each in a schema of its own, and not in SQLite. */
  readonly hasPostgres: boolean
  /** Whether files lie in S3 and not on disk; with PostgreSQL only. */
  readonly hasS3: boolean
}

const lineBytes = 500
/** In each phase, how long a batch of some thousand lines is in it: kills come anywhere within that. */
const longestMs: Readonly<Record<Phase, number>> = { validating: 150, in_progress: 4_000, finalizing: 40 }
const phases = Object.keys(longestMs) as Phase[]

type Sums = { kills: number; batches: number; lines: number; again: number; wrong: number; orphans: number }

/** Kills servers with `kill -9` wherever their batches are, and looks at what every batch has come to. Whether all was well. */
export async function measureKills({ points, servers, lines, ...options }: KillOptions): Promise<boolean> {
  const upstream = await startUnevenUpstream()
  const stores = options.hasPostgres ? await startStores(options) : undefined
  const sums: Sums = { kills: 0, batches: 0, lines: 0, again: 0, wrong: 0, orphans: 0 }
  const resumed: number[] = []
  const found = new Map<string, number>()
  let begun = 0

  async function runBatch(world: BatchWorld, prefix: string): Promise<{ batch: BatchView; inputId: string }> {
    const { batch, inputId } = await world.submit({ prefix, lines, lineBytes })
    // Some are killed twice, or three times.
    for (let isFirst = true; isFirst || Math.random() < 0.3; isFirst = false) {
      if (begun >= points) break
      begun++
      const phase = phases[Math.floor(Math.random() * phases.length)] as Phase
      const killed = await killWithin(world, upstream, batch.id, prefix, phase, Math.random() * longestMs[phase])
      if (killed.resumedAfterMs === undefined) {
        // It was too quick.
        begun--
        break
      }
      sums.kills++
      found.set(killed.found, (found.get(killed.found) ?? 0) + 1)
      if (killed.resumedAfterMs !== undefined) resumed.push(killed.resumedAfterMs)
      const after =
        killed.resumedAfterMs === undefined ? 'it had ended' : `${(killed.resumedAfterMs / 1000).toFixed(1)} s`
      console.error(
        `${sums.kills}/${points} ${prefix}: ${killed.found}, ${killed.completed} done; goes on after ${after}`,
      )
    }
    const ended = await waitForBatch(world.client, batch.id, hasEnded)
    const { wrong } = await checkFiles(world.client, ended, { prefix, lines })
    const all = ended.status === 'completed' ? wrong : [...wrong, `it is ${ended.status}`]
    for (const text of all) console.log(`${prefix}: ${text}`)
    sums.batches++
    sums.lines += lines
    sums.wrong += all.length
    return { batch: ended, inputId }
  }

  async function runServer(number: number): Promise<void> {
    const world = await createBatchWorld(upstream, stores?.placeOf(`server_${number}`))
    try {
      const all: { batch: BatchView; inputId: string }[] = []
      while (begun < points) all.push(await runBatch(world, `s${number}-b${all.length}`))
      const inputs = all.map(({ inputId }) => inputId)
      const batches = all.map(({ batch }) => batch)
      const orphans = await findOrphans(world.client, inputs, batches)
      for (const text of orphans) console.log(`server ${number}: ${text}`)
      sums.orphans += orphans.length
    } finally {
      await world.remove()
    }
  }

  try {
    await Promise.all(Array.from({ length: servers }, (_, number) => runServer(number)))
  } finally {
    await stores?.stop()
    await upstream.stop()
  }
  sums.again = countAgain(upstream)
  report(sums, resumed, found)
  return sums.wrong === 0 && sums.orphans === 0
}

/** What was asked more than once: after refusals, and what was under way or not yet noted at a kill. */
function countAgain({ asked }: UnevenUpstream): number {
  return [...asked.values()].reduce((sum, times) => sum + times - 1, 0)
}

function report(sums: Sums, resumed: number[], found: ReadonlyMap<string, number>): void {
  resumed.sort((a, b) => a - b)
  const seconds = (index: number) => ((resumed[index] ?? Number.NaN) / 1000).toFixed(1)
  const states = [...found].map(([state, count]) => `${count} ${state}`).join(', ')
  console.log(`${sums.kills} kills of ${sums.batches} batches with ${sums.lines} lines; found ${states}`)
  console.log(
    `goes on after ${seconds(0)} to ${seconds(resumed.length - 1)} s, median ${seconds(Math.floor(resumed.length / 2))} s`,
  )
  console.log(
    `${sums.again} times a line was asked again; ${sums.wrong} mistakes, ${sums.orphans} files without a batch`,
  )
}
