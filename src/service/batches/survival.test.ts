import { describe, expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { BatchesTable, BatchRow } from '../../port/tables/batches/port.ts'
import { createBatch, createClock, type Home, okAnswer, openHome, task } from './batches.fixture.ts'
import type { BatchFiles, BatchParts, RunLine } from './parts.ts'

/** What happens to a server at its so-and-so-many-th step towards a store. */
type Accident =
  /** It dies before the step, or when it was made and nobody has heard of it. */
  | { readonly kind: 'dies'; readonly at: number; readonly isDone: boolean }
  /** It stands still for longer than a lease and then goes on. */
  | { readonly kind: 'sleeps'; readonly at: number; readonly forMs: number }
  /** The store is away for so long from then on. */
  | { readonly kind: 'store-away'; readonly at: number; readonly forMs: number }

const lineCount = 120
const leaseMs = 60_000

/** Numbers that come again when a test does. */
function createRandom(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** The stores as a server sees them that has an accident. */
function meet(home: Home, accident: Accident | undefined) {
  let steps = 0
  let asleepUntil = 0
  let deadAt = Number.POSITIVE_INFINITY
  let awayUntil = 0

  async function step<T>(make: () => Promise<T>): Promise<T> {
    const count = ++steps
    if (count > deadAt) return new Promise(() => {})
    if (accident?.at === count) {
      if (accident.kind === 'dies') {
        deadAt = count
        if (accident.isDone) await make()
        return new Promise(() => {})
      }
      if (accident.kind === 'sleeps') asleepUntil = home.clock.now() + accident.forMs
      else awayUntil = home.clock.now() + accident.forMs
    }
    if (home.clock.now() < asleepUntil) await home.clock.sleep(asleepUntil - home.clock.now())
    if (home.clock.now() < awayUntil) throw new Fault('storage-unavailable', 'The store is away.')
    return make()
  }

  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const own = of[name as keyof T] as unknown
        if (typeof own !== 'function' || name === 'makeId') return own
        return (...given: unknown[]) => step(() => own.apply(of, given) as Promise<unknown>)
      },
    })
  const { files } = home.store
  const wrapped: BatchFiles = {
    ...wrap(files),
    find: (...given) => step(() => files.find(...given)),
    createFile: (file, content) => step(() => files.createFile(file, content)),
    makeId: files.makeId,
    async *read(id, range) {
      for await (const piece of files.read(id, range)) yield await step(async () => piece)
    },
  }
  return { table: wrap<BatchesTable>(home.table), jobs: wrap(home.jobs), files: wrapped, steps: () => steps }
}

function makeInput(): string {
  return Array.from({ length: lineCount }, (_, i) => `${task(`task-${i}`)}\n`).join('')
}

/** Starts servers one after the other, or beside each other, until the batch has ended. */
async function survive(seed: number, accidents: readonly (Accident | undefined)[], more: Partial<BatchParts> = {}) {
  const clock = createClock()
  const home = await openHome(clock, 997)
  const random = createRandom(seed)
  /** Of the batch when the server began that runs. */
  let noted = new Set<string>()
  const asked: string[] = []
  const askedInVain: string[] = []
  const runLine: RunLine = async ({ customId }) => {
    asked.push(customId)
    if (noted.has(customId)) askedInVain.push(customId)
    await clock.sleep(Math.floor(random() * 400))
    const draw = random()
    if (draw < 0.05) return { ...okAnswer(customId), status: 500 }
    return Number(customId.slice(5)) % 11 === 0 ? { ...okAnswer(customId), status: 400 } : okAnswer(customId)
  }
  const settings = { portionLines: 13, maxConcurrency: 6, ...more.settings }
  const calm = { runLine, ...more, settings }
  try {
    const id = await createBatch(home.open(calm), home.store.put(makeInput()))
    const told: string[] = []
    let batch: BatchRow | undefined
    const steps: number[] = []
    for (const accident of [...accidents, undefined, undefined]) {
      noted = await readNoted(home.table, id)
      const world = meet(home, accident)
      const process = home.open({ ...calm, ...world, onEnd: (ended) => void told.push(ended.status) }, world.jobs)
      const state = { isOver: false }
      void process.work().then(
        () => {
          state.isOver = true
        },
        () => {
          state.isOver = true
        },
      )
      // What a server left behind that has died, another one takes up when the lease has run out.
      let isLate = false
      clock.startTimer(() => {
        isLate = true
      }, 4 * leaseMs)
      await clock.until(() => state.isOver || isLate)
      steps.push(world.steps())
      batch = await home.table.get(id)
      if (batch && ends.has(batch.status) && (await home.jobs.nextDueAt(['batch'])) === undefined) break
      await clock.pass(leaseMs + 1)
    }
    // Whoever slept wakes up, and must change nothing.
    await clock.pass(20 * leaseMs)
    return { home, batch: (await home.table.get(id)) as BatchRow, told, asked, askedInVain, steps }
  } catch (error) {
    await home.remove()
    throw error
  }
}

async function readNoted(table: BatchesTable, id: string): Promise<Set<string>> {
  const results = [
    ...(await table.listResults(id, 'done', 0, 1_000)),
    ...(await table.listResults(id, 'failed', 0, 1_000)),
  ]
  return new Set(results.map(({ record }) => (JSON.parse(record) as { custom_id: string }).custom_id))
}

const ends = new Set(['completed', 'failed', 'cancelled', 'expired'])

/** Every custom_id once, where it belongs, and what is counted is what there is. */
async function check({ home, batch, told }: Awaited<ReturnType<typeof survive>>): Promise<void> {
  try {
    const output = home.store.lines(batch.outputFileId).map((line) => line.custom_id as string)
    const errors = home.store.lines(batch.errorFileId).map((line) => line.custom_id as string)
    const number = (id: string) => Number(id.slice('task-'.length))
    expect(batch.status).toBe('completed')
    expect([...output, ...errors].sort((a, b) => number(a) - number(b))).toEqual(
      Array.from({ length: lineCount }, (_, i) => `task-${i}`),
    )
    for (const id of errors) expect(number(id) % 11).toBe(0)
    expect(batch).toMatchObject({
      total: lineCount,
      completed: output.length,
      failed: errors.length,
      enqueuedTokens: 0,
    })
    expect(batch.tokens).toEqual({
      input: 10 * lineCount,
      cached: 4 * lineCount,
      output: 2 * lineCount,
      reasoning: lineCount,
    })
    // Only the files that the batch names.
    const made = [...home.store.rows.values()].filter(({ purpose }) => purpose === 'batch_output').map(({ id }) => id)
    expect(made.sort()).toEqual([batch.outputFileId as string, batch.errorFileId as string].sort())
    expect(await home.jobs.nextDueAt(['batch'])).toBeUndefined()
    expect(await home.table.listWaiting(batch.id, 0, 9)).toEqual([])
    expect(await home.table.listResults(batch.id, 'done', 0, 9)).toEqual([])
    expect(told.length).toBeGreaterThanOrEqual(1)
  } finally {
    await home.remove()
  }
}

/** How many steps there are where nothing happens. */
const calmSteps = await (async () => {
  const { home, steps } = await survive(0, [])
  await home.remove()
  return steps[0] as number
})()

describe('a batch survives', () => {
  test('nothing at all', async () => {
    const run = await survive(1, [])
    expect(run.asked.length).toBeGreaterThan(lineCount)
    expect(run.told).toEqual(['completed'])
    await check(run)
  })

  for (let i = 0; i < 50; i++) {
    const random = createRandom(1000 + i)
    const at = 1 + Math.floor(((i + random()) / 50) * calmSteps)
    test(`a server that dies at step ${at} of ${calmSteps}, ${i % 2 ? 'which was made' : 'before it was made'}`, async () => {
      const run = await survive(i, [{ kind: 'dies', at, isDone: i % 2 === 1 }])
      expect(run.askedInVain).toEqual([])
      await check(run)
    })
  }

  for (let i = 0; i < 12; i++) {
    test(`many servers that die one after the other, ${i}`, async () => {
      const random = createRandom(2000 + i)
      const accidents = Array.from(
        { length: 6 },
        (): Accident => ({ kind: 'dies', at: 1 + Math.floor(random() * 60), isDone: random() < 0.5 }),
      )
      await check(await survive(i, accidents))
    })
  }

  for (let i = 0; i < 20; i++) {
    const at = 1 + Math.floor(((i + 0.5) / 20) * calmSteps)
    test(`a server that stands still at step ${at} and wakes up when another one has the batch`, async () => {
      await check(
        await survive(i, [{ kind: 'sleeps', at, forMs: [leaseMs + 500, 5 * leaseMs, 15 * leaseMs][i % 3] as number }]),
      )
    })
  }

  for (let i = 0; i < 12; i++) {
    const at = 1 + Math.floor(((i + 0.5) / 12) * calmSteps)
    test(`a store that is away from step ${at} on, for less than a lease or for more`, async () => {
      await check(await survive(i, [{ kind: 'store-away', at, forMs: i % 2 ? 30_000 : 3 * leaseMs }]))
    })
  }
})
