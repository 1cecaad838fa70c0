import { afterEach, beforeEach, expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ServiceEvent } from '../../core/service-route.ts'
import type { BatchesTable } from '../../port/tables/batches/port.ts'
import {
  ask,
  createBatch,
  createClock,
  type Home,
  okAnswer,
  openHome,
  owner,
  tasks,
  team,
} from '../batches/batches.fixture.ts'
import { createBatchStreams } from './batch-streams.ts'

let home: Home
let id: string
let table: Pick<BatchesTable, 'get'>
const clock = createClock()

beforeEach(async () => {
  home = await openHome(clock)
  table = home.table
  id = await createBatch(home.open(), home.store.put(tasks(4)))
})
afterEach(() => home.remove())

const open = (reads = table) =>
  createBatchStreams({ table: reads, now: clock.now, startTimer: clock.startTimer, random: () => 0.5 })

type Streams = ReturnType<typeof open>

async function listen(streams: Streams, batch = id, caller = owner): Promise<AsyncIterable<ServiceEvent>> {
  const answer = await ask({ ...streams, handlers: {} }, '/{batch_id}/events', { params: { batch_id: batch }, caller })
  if (!answer.events) throw new Error('no events')
  return answer.events
}

const seenIn = ({ status, request_counts: counts }: JsonObject): string =>
  `${status} ${(counts as JsonObject).completed}`

/** Reads it to its end while time goes on. */
async function readAll(events: AsyncIterable<ServiceEvent>): Promise<string[]> {
  const seen: string[] = []
  let isOver = false
  const reading = (async () => {
    for await (const event of events) seen.push(seenIn(event.data as JsonObject))
    isOver = true
  })()
  reading.catch(() => {
    isOver = true
  })
  await clock.until(() => isOver)
  await reading
  return seen
}

test('each change is told once, the end last, and then it is over', async () => {
  const server = home.open({
    async runLine({ customId }) {
      await clock.sleep(3_000 * (1 + Number(customId.slice(-1))))
      return okAnswer(customId)
    },
  })
  const reading = readAll(await listen(open()))
  void server.work()
  const seen = await reading
  expect(seen[0]).toBe('validating 0')
  expect(seen.at(-1)).toBe('completed 4')
  for (const done of [1, 2, 3]) expect(seen).toContain(`in_progress ${done}`)
  expect(new Set(seen).size).toBe(seen.length)
})

test('one that has ended is told once, on every surface', async () => {
  await Promise.all([home.open().work(), clock.pass(1_000)])
  const streams = open()
  expect(streams.routes.map(({ method, path, apiVersion }) => `${method} ${path} ${apiVersion}`)).toEqual([
    'GET /openai/batches/{batch_id}/events required',
    'GET /openai/deployments/{deployment}/batches/{batch_id}/events required',
    'GET /openai/v1/batches/{batch_id}/events optional',
  ])
  expect(await readAll(await listen(streams))).toEqual(['completed 4'])
})

test('what does not change is told again, so that the connection lives; not for ever', async () => {
  const before = clock.now()
  const seen = await readAll(await listen(open()))
  expect(new Set(seen)).toEqual(new Set(['validating 0']))
  expect(clock.now() - before).toBeGreaterThanOrEqual(3_600_000)
  expect(seen.length).toBeGreaterThan(200)
  expect(seen.length).toBeLessThanOrEqual(241)
})

test('somebody else finds nothing', async () => {
  const streams = open()
  for (const [batch, caller] of [
    [id, team],
    ['batch_nobody', owner],
    ['../x', owner],
  ] as const) {
    const error = await listen(streams, batch, caller).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Fault)
    expect((error as Fault).code).toBe('not-found')
  }
})

test('all who listen share what is read, and may not be too many', async () => {
  let reads = 0
  const streams = open({
    get(batch) {
      reads++
      return table.get(batch)
    },
  })
  const readers: AsyncIterator<JsonObject>[] = []
  for (let i = 0; i < 100; i++) {
    const reader = (await listen(streams))[Symbol.asyncIterator]()
    await reader.next()
    readers.push(reader)
  }
  const error = await listen(streams).catch((reason: unknown) => reason)
  expect((error as Fault).code).toBe('rate-limited')
  reads = 0
  const going = readers.map((reader) => reader.next())
  await clock.pass(10_000)
  expect(reads).toBeGreaterThan(2)
  expect(reads).toBeLessThan(30)
  streams.close()
  expect((await Promise.all(going)).every(({ done }) => done)).toBe(true)
  expect(await readAll(await listen(streams))).toEqual([])
})

test('a database that is away is waited for', async () => {
  let isAway = false
  const streams = open({
    async get(batch) {
      if (isAway) throw new Fault('state-unusable', 'away')
      return table.get(batch)
    },
  })
  const reader = (await listen(streams))[Symbol.asyncIterator]()
  await reader.next()
  isAway = true
  let told: JsonObject | undefined
  void reader.next().then(({ value }) => {
    told = value
  })
  await clock.pass(60_000)
  expect(told).toBeUndefined()
  isAway = false
  await clock.until(() => told !== undefined)
  expect(seenIn((told as unknown as ServiceEvent).data as JsonObject)).toBe('validating 0')
  streams.close()
})
