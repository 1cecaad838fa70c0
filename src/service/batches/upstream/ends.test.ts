import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../core/json.ts'
import { type Home, tasks } from '../batches.fixture.ts'
import {
  all,
  beginUpstream,
  cut,
  expectWhole,
  type FakeUpstream,
  ids,
  openUpstream,
  resultOf,
  type UpstreamHome,
} from './upstream.fixture.ts'

let home: Home
let fake: FakeUpstream
let run: UpstreamHome['run']

beforeEach(async () => {
  ;({ home, fake, run } = await openUpstream())
})
afterEach(() => home.remove())

/** So that a day is not a thousand looks. */
const rarely = { upstreamLongestPollMs: 3_600_000 }

describe('ends', () => {
  test('cancelling cancels upstream, and takes what was answered by then', async () => {
    fake.runMs = 3_600_000
    fake.maxLines = 3
    fake.results = ({ names }) => names.slice(0, 1).map(resultOf).join('')
    const begun = await beginUpstream(home, fake, tasks(5))
    await begun.run(() => fake.batches.length === 2)
    await begun.cancel()
    await begun.run()
    const { batch, output, errors, here } = await begun.outcome()
    expect(batch).toMatchObject({ status: 'cancelled', completed: 2, failed: 0 })
    expect([ids(output), errors, here]).toEqual([['task-0', 'task-3'], [], []])
    expect(fake.batches.every(({ cancelledAt }) => cancelledAt !== undefined)).toBe(true)
  })

  test('cancelled before anything went there', async () => {
    const begun = await beginUpstream(home, fake, tasks(5))
    await begun.cancel()
    await begun.run()
    expect((await begun.outcome()).batch.status).toBe('cancelled')
    expect(fake.asked).toEqual([])
  })

  test('cancelled while nobody knows whether the order was made: it is found, and cancelled', async () => {
    fake.after = (verb) => {
      if (verb === 'submitBatch') cut()
    }
    const begun = await beginUpstream(home, fake, tasks(5))
    await begun.run(() => fake.batches.length === 1)
    await begun.cancel()
    await begun.run()
    expect((await begun.outcome()).batch.status).toBe('cancelled')
    expect(fake.batches[0]?.cancelledAt).toBeNumber()
  })

  test('an upstream that does not end what is cancelled is not waited for for long', async () => {
    fake.end = () => ({ state: 'running', results: [] })
    const begun = await beginUpstream(home, fake, tasks(5))
    await begun.run(() => fake.batches.length === 1)
    const from = home.clock.now()
    await begun.cancel()
    await begun.run()
    expect((await begun.outcome()).batch.status).toBe('cancelled')
    expect(home.clock.now() - from).toBeLessThan(20 * 60_000)
  })

  test('nor is one that does not tell whether it was ordered', async () => {
    fake.after = (verb) => {
      if (verb === 'submitBatch') cut()
    }
    fake.before = (verb) => {
      if (verb === 'findBatches') cut()
    }
    const begun = await beginUpstream(home, fake, tasks(5))
    await begun.run(() => fake.batches.length === 1)
    const from = home.clock.now()
    await begun.cancel()
    await begun.run()
    expect((await begun.outcome()).batch.status).toBe('cancelled')
    expect(home.clock.now() - from).toBeLessThan(20 * 60_000)
  })

  test('by the rules of OpenAI the window ends it: what is answered stays, the rest expires', async () => {
    fake.runMs = 100 * 3_600_000
    fake.results = ({ names }) => names.slice(0, 2).map(resultOf).join('')
    const { batch, output, errors, here } = await run(tasks(4), { settings: { ...rarely, behaviour: 'openai' } })
    expect(batch.status).toBe('expired')
    expect(ids(output)).toEqual(['task-0', 'task-1'])
    expect(errors.map(({ error }) => (error as JsonObject).code)).toEqual(['batch_expired', 'batch_expired'])
    expect(here).toEqual([])
    expect(fake.batches[0]?.cancelledAt).toBe(batch.expiresAt)
  })

  test('by the rules of Azure it goes on', async () => {
    fake.runMs = 30 * 3_600_000
    const outcome = await run(tasks(4), { settings: rarely })
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual([])
  })

  test('an upstream that never ends it is left alone in the end', async () => {
    fake.runMs = 1e12
    fake.results = () => ''
    const outcome = await run(tasks(4), { settings: rarely })
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual(all(4))
  })
})
