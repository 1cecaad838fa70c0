import { expect } from 'bun:test'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { BatchOrder, NativeBatches, UpstreamBatch } from '../../../core/reply.ts'
import type { BatchRow } from '../../../port/tables/batches/port.ts'
import { ask, createBatch, type Home, okAnswer, openHome } from '../batches.fixture.ts'
import type { BatchParts, LineAnswer, NativeLines } from '../parts.ts'

/** An upstream in memory that takes batches, and does with them what the test says. */
export type FakeUpstream = {
  readonly native: NativeLines
  readonly batches: FakeBatch[]
  readonly staged: Map<string, readonly string[]>
  /** Every verb that was asked, in order. */
  readonly asked: string[]
  /** What a verb does in place of its work; `undefined`: its work. Called before, or (`after`) when it has worked. */
  before: ((verb: string, times: number) => void) | undefined
  after: ((verb: string, times: number) => void) | undefined
  /** How long a batch takes; what is told of it then. */
  runMs: number
  end: (batch: FakeBatch) => Partial<UpstreamBatch>
  /** The results of a batch, a text for each file. */
  results: (batch: FakeBatch) => string
  /** What becomes of a line before it goes there, and of its answer. */
  prepare: (customId: string) => LineAnswer | undefined
  judge: (customId: string) => Partial<LineAnswer>
  keepsCustomIds: boolean
  isThere: boolean
  maxLines: number
}

export type FakeBatch = {
  readonly id: string
  readonly order: BatchOrder
  readonly names: readonly string[]
  readonly orderedAt: number
  cancelledAt: number | undefined
}

export const resultOf = (name: string): string => `${JSON.stringify({ name, status: 200 })}\n`

export function createFakeUpstream(now: () => number, piecesOf = 7): FakeUpstream {
  const staged = new Map<string, readonly string[]>()
  const batches: FakeBatch[] = []
  const asked: string[] = []
  const times: Record<string, number> = {}
  let made = 0

  async function act<T>(verb: string, work: () => T): Promise<T> {
    asked.push(verb)
    times[verb] = (times[verb] ?? 0) + 1
    fake.before?.(verb, times[verb])
    const done = work()
    fake.after?.(verb, times[verb])
    return done
  }

  function show(batch: FakeBatch): UpstreamBatch {
    const { id, orderedAt, cancelledAt } = batch
    const isRunning = cancelledAt === undefined && now() < orderedAt + fake.runMs
    const files = [batch.order.staged ?? '', id]
    if (isRunning) return { id, state: 'running', results: [], files }
    return { id, state: 'ended', results: [id], files, ...fake.end(batch) }
  }

  const nativeBatches: NativeBatches = {
    home: 'fake',
    kinds: new Set(['chat']),
    get maxLines() {
      return fake.maxLines
    },
    maxBytes: 1e9,
    get keepsCustomIds() {
      return fake.keepsCustomIds
    },
    writeLine: () => '',
    stage: (tag, lines) =>
      act('stage', () => {
        staged.set(`file-${tag}`, lines)
        return `file-${tag}`
      }),
    isStaged: () => act('isStaged', () => true),
    submitBatch: (order, lines) =>
      act('submitBatch', () => {
        const names = lines.map((line) => JSON.parse(line).name as string)
        const batch = { id: `up-${made++}`, order, names, orderedAt: now(), cancelledAt: undefined }
        batches.push(batch)
        return show(batch)
      }),
    findBatches: ({ tag }) => act('findBatches', () => batches.filter(({ order }) => order.tag === tag).map(show)),
    pollBatch: (id) =>
      act('pollBatch', () => {
        const batch = batches.find((one) => one.id === id)
        return batch && show(batch)
      }),
    cancelBatch: (id) =>
      act('cancelBatch', () => {
        const batch = batches.find((one) => one.id === id)
        if (batch) batch.cancelledAt ??= now()
      }),
    async *readResults(name) {
      await act('readResults', () => {})
      const bytes = Buffer.from(fake.results(batches.find(({ id }) => id === name) as FakeBatch))
      for (let at = 0; at < bytes.length; at += piecesOf) {
        await act('piece', () => {})
        yield bytes.subarray(at, at + piecesOf)
      }
    },
    readLine(text) {
      try {
        const { name, status } = JSON.parse(text) as JsonObject
        return typeof name === 'string' ? { name, status: status as number | undefined, body: '{}' } : undefined
      } catch {
        return undefined
      }
    },
    readAnswer: () => {
      throw new Error('the lines of these tests are answered without it')
    },
    discard: (file) => act('discard', () => void staged.delete(file)),
  }

  const fake: FakeUpstream = {
    batches,
    staged,
    asked,
    before: undefined,
    after: undefined,
    runMs: 60_000,
    end: () => ({}),
    results: ({ names }) => names.map(resultOf).join(''),
    prepare: () => undefined,
    judge: () => ({}),
    keepsCustomIds: true,
    isThere: true,
    maxLines: 1_000,
    native: {
      find: (_deployment, _owner, kind, home = 'fake') =>
        fake.isThere && home === 'fake' && kind === 'chat' ? nativeBatches : undefined,
      prepare: async ({ customId }, _batches, name) =>
        fake.prepare(customId) ?? { text: JSON.stringify({ name, customId }) },
      answer: async ({ customId }, _batches, { status = 500 }) => {
        const isRepeatable = status === 429 || status >= 500
        return { ...okAnswer(customId), status, requestId: `native-${customId}`, isRepeatable, ...fake.judge(customId) }
      },
    },
  }
  return fake
}

export const cut = (): never => {
  throw new Fault('upstream-failed', 'the connection was cut')
}
export const refuse = (status: number): never => {
  throw new Fault('upstream-rejected', `The backend answered ${status}.`, { status })
}
export const busy = (retryAfterMs: number): never => {
  throw new Fault('rate-limited', 'Too much.', { retryAfterMs })
}

export type Outcome = {
  readonly batch: BatchRow
  readonly output: readonly JsonObject[]
  readonly errors: readonly JsonObject[]
  /** Lines that were run here, one by one. */
  readonly here: readonly string[]
}

export type UpstreamHome = {
  readonly home: Home
  readonly fake: FakeUpstream
  /** What a batch of these lines came to. */
  run(input: string, parts?: Partial<BatchParts>): Promise<Outcome>
}

/** A home of batches beside an upstream that takes them. */
export async function openUpstream(): Promise<UpstreamHome> {
  const home = await openHome(undefined, 4_096)
  const fake = createFakeUpstream(home.clock.now)
  return {
    home,
    fake,
    async run(input, parts) {
      const begun = await beginUpstream(home, fake, input, parts)
      await begun.run()
      return begun.outcome()
    },
  }
}

/** A batch on its way with this upstream. */
export async function beginUpstream(home: Home, fake: FakeUpstream, input: string, parts: Partial<BatchParts> = {}) {
  const here: string[] = []
  const all: Partial<BatchParts> = {
    native: fake.native,
    runLine: async ({ customId }) => {
      here.push(customId)
      return okAnswer(customId)
    },
    ...parts,
  }
  const first = home.open(all)
  const id = await createBatch(first, home.store.put(input))
  const isOver = async (): Promise<boolean> => {
    const status = (await home.table.get(id))?.status ?? ''
    return ['completed', 'failed', 'expired', 'cancelled'].includes(status)
  }
  return {
    id,
    here,
    first,
    /** Works until the batch has ended, or it is so; by a new server after each run that failed, as after a crash. */
    async run(isSo: () => boolean = () => false): Promise<void> {
      let server = first
      for (let runs = 0; runs < 500; runs++) {
        if (isSo()) return
        const state = { ended: false, failure: undefined as unknown, outcome: undefined as unknown }
        void server.work().then(
          (outcome) => {
            state.ended = true
            state.outcome = outcome
          },
          (error) => {
            state.ended = true
            state.failure = error
          },
        )
        await home.clock.until(() => state.ended)
        if (state.failure) {
          if (!/dies/.test(String(state.failure))) throw state.failure
          server.stop()
          server = home.open(all)
          await home.clock.pass(61_000)
          continue
        }
        if (state.outcome === undefined && (await isOver())) return
        const at = await home.jobs.nextDueAt(['batch'])
        if (at === undefined) return
        await home.clock.pass(Math.max(1, at - home.clock.now()))
      }
      throw new Error('the batch does not end')
    },
    cancel: () => ask(first, '/{batch_id}/cancel', { method: 'POST', params: { batch_id: id } }),
    async outcome(): Promise<Outcome> {
      const batch = (await home.table.get(id)) as BatchRow
      return {
        batch,
        output: home.store.lines(batch.outputFileId),
        errors: home.store.lines(batch.errorFileId),
        here,
      }
    },
  }
}

export const ids = (lines: readonly JsonObject[]) => lines.map(({ custom_id: id }) => id as string)
export const all = (count: number) => Array.from({ length: count }, (_, i) => `task-${i}`)

/** Every line once, in the order of the input, and all counted. */
export function expectWhole({ batch, output, errors }: Outcome, count: number, failed: readonly string[] = []): void {
  expect(batch.status).toBe('completed')
  expect(ids(errors)).toEqual([...failed])
  expect(ids(output)).toEqual(all(count).filter((id) => !failed.includes(id)))
  expect(batch).toMatchObject({
    total: count,
    completed: count - failed.length,
    failed: failed.length,
    enqueuedTokens: 0,
  })
}
