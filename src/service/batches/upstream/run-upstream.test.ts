import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../core/json.ts'
import { createBatch, type Home, task, tasks } from '../batches.fixture.ts'
import {
  all,
  beginUpstream,
  busy,
  cut,
  expectWhole,
  type FakeUpstream,
  ids,
  openUpstream,
  refuse,
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

const orders = () => fake.batches.map(({ names }) => names.length)

describe('a batch goes upstream whole', () => {
  test('its answers are those of the upstream, and what they cost is counted', async () => {
    const outcome = await run(tasks(30))
    expectWhole(outcome, 30)
    expect(orders()).toEqual([30])
    expect(outcome.here).toEqual([])
    expect(outcome.output[3]).toMatchObject({
      custom_id: 'task-3',
      response: {
        status_code: 200,
        request_id: 'native-task-3',
        body: { choices: [{ message: { content: 'task-3' } }] },
      },
      error: null,
    })
    expect(outcome.batch.tokens).toEqual({ input: 300, cached: 120, output: 60, reasoning: 30 })
    // What was sent and what came is taken away there.
    expect(fake.staged.size).toBe(0)
  })

  test('nobody works on it while it is there, and it is asked for less and less often', async () => {
    fake.runMs = 2 * 3_600_000
    await run(tasks(3))
    const polls = fake.asked.filter((verb) => verb === 'pollBatch').length
    expect(polls).toBeGreaterThan(2 * 60)
    expect(polls).toBeLessThan(2 * 60 * 2)
  })

  test('in parts, where it is more than the upstream takes, or than is held', async () => {
    fake.maxLines = 12
    expectWhole(await run(tasks(40)), 40)
    expect(orders()).toEqual([12, 12, 12, 4])
    expect(new Set(fake.batches.map(({ order }) => order.tag)).size).toBe(4)
  })

  test('in parts of so many bytes', async () => {
    expectWhole(await run(tasks(40), { settings: { upstreamBytes: 200 } }), 40)
    expect(orders().length).toBeGreaterThan(2)
  })

  test('one batch at a time is on its way, and all get there', async () => {
    let atOnce = 0
    let most = 0
    const gate = Promise.withResolvers<void>()
    const { native } = fake
    const slow = {
      ...native,
      async prepare(...line: Parameters<typeof native.prepare>) {
        most = Math.max(most, ++atOnce)
        await gate.promise
        atOnce--
        return native.prepare(...line)
      },
    }
    const first = await beginUpstream(home, fake, tasks(1), { native: slow })
    const id = await createBatch(first.first, home.store.put(tasks(1)))
    const works = [first.first.work(), first.first.work()]
    await home.clock.until(() => atOnce > 0)
    gate.resolve()
    const outcomes = { count: 0 }
    for (const work of works) void work.then(() => outcomes.count++)
    await home.clock.until(() => outcomes.count === 2)
    expect(most).toBe(1)
    await first.run()
    await first.run()
    expect((await home.table.get(id))?.status).toBe('completed')
    expect(orders()).toEqual([1, 1])
  })

  test('a line that is refused here never goes there', async () => {
    const answer = { status: 400, requestId: 'r', body: '{"error":{"code":"content_filter"}}', isRepeatable: false }
    fake.prepare = (id) => (id === 'task-1' || id === 'task-7' ? answer : undefined)
    const outcome = await run(tasks(9))
    expectWhole(outcome, 9, ['task-1', 'task-7'])
    expect(outcome.errors[0]).toMatchObject({
      response: { status_code: 400, body: { error: { code: 'content_filter' } } },
    })
    expect(fake.batches.flatMap(({ names }) => names)).toEqual(
      all(9).filter((id) => id !== 'task-1' && id !== 'task-7'),
    )
  })

  test('limits are waited for before it goes', async () => {
    const refusals: Record<string, number> = {}
    const busyAnswer = { status: 429, requestId: 'r', body: '{}', isRepeatable: true, retryAfterMs: 20_000 }
    fake.prepare = (id) => {
      refusals[id] = (refusals[id] ?? 0) + 1
      return refusals[id] < 20 ? busyAnswer : undefined
    }
    const outcome = await run(tasks(5))
    expectWhole(outcome, 5)
    expect(outcome.here).toEqual([])
  })

  test('limits that let no line through hold up nobody else: what has come by then goes', async () => {
    const busyAnswer = { status: 429, requestId: 'r', body: '{}', isRepeatable: true, retryAfterMs: 60_000 }
    const opensAt = home.clock.now() + 25 * 60_000
    fake.prepare = (id) => (id === 'task-2' && home.clock.now() < opensAt ? busyAnswer : undefined)
    const outcome = await run(tasks(5))
    expectWhole(outcome, 5)
    expect(outcome.here).toEqual([])
    expect(orders()).toEqual([2, 3])
  })

  test('a deployment that is paused waits by itself, and others have their turn', async () => {
    let isPaused = true
    fake.prepare = () => (isPaused ? { status: 423, requestId: 'r', body: '{}', isRepeatable: true } : undefined)
    const begun = await beginUpstream(home, fake, tasks(5))
    const waiting = { until: 0 }
    void begun.first.work().then((outcome) => {
      waiting.until = outcome?.kind === 'again' ? outcome.at : 0
    })
    await home.clock.until(() => waiting.until > 0)
    expect(waiting.until).toBeGreaterThan(home.clock.now())
    isPaused = false
    await begun.run()
    expectWhole(await begun.outcome(), 5)
    expect(begun.here).toEqual([])
    expect(orders()).toEqual([5])
  })

  test('answers are judged: one that is kept back is in the error file', async () => {
    fake.judge = (id) => (id === 'task-2' ? { status: 400, body: '{"error":{"code":"content_filter"}}' } : {})
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4, ['task-2'])
    expect(outcome.here).toEqual([])
  })

  test('answers that cannot be judged now are judged later', async () => {
    let asked = 0
    fake.judge = (id) => (id === 'task-2' && asked++ < 3 ? { status: 503, isRepeatable: true } : {})
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual([])
    expect(asked).toBe(4)
  })

  test('an input that was deleted meanwhile: nothing is judged, so nothing is let out', async () => {
    const begun = await beginUpstream(home, fake, tasks(4))
    await begun.run(() => fake.batches.length > 0)
    home.store.contents.delete((await home.table.get(begun.id))?.inputFileId ?? '')
    await begun.run()
    const { output, errors } = await begun.outcome()
    expect(output).toEqual([])
    expect(errors.map(({ error }) => (error as JsonObject).code)).toEqual(Array(4).fill('input_modified'))
  })

  test('large lines are read one after the other as their answers are judged, not all at once', async () => {
    const { files } = home.store
    let unjudged = 0
    let most = 0
    const counted = {
      ...files,
      read: (...range: Parameters<typeof files.read>) => {
        most = Math.max(most, ++unjudged)
        return files.read(...range)
      },
    }
    fake.judge = () => {
      unjudged--
      return {}
    }
    fake.before = (verb) => {
      // From here on it is read for nobody else.
      if (verb === 'readResults') unjudged = most = 0
    }
    const text = 'x'.repeat(600_000)
    const input = all(6).map((id) => task(id, {}, { messages: [{ role: 'user', content: text }] }))
    const outcome = await run(input.join('\n'), { files: counted })
    expectWhole(outcome, 6)
    expect(most).toBe(1)
  })

  test('names that nobody can have given are not looked for', async () => {
    const { table } = home
    const asked: string[] = []
    const watched = {
      ...table,
      findWaiting: (...question: Parameters<typeof table.findWaiting>) => {
        if ('customIds' in question[1]) asked.push(...question[1].customIds)
        return table.findWaiting(...question)
      },
    }
    fake.results = ({ names }) => [...names, 'n'.repeat(100_000)].map(resultOf).join('')
    expectWhole(await run(tasks(2), { table: watched }), 2)
    expect(asked).toEqual(all(2))
  })

  test('lines are told by their number where an upstream takes no custom ids', async () => {
    fake.keepsCustomIds = false
    fake.maxLines = 3
    const outcome = await run(['"', 'Größe 東京 🙂', ' ', 'a/b', 'c'].map((id) => task(id)).join('\n'))
    expect(ids(outcome.output)).toEqual(['"', 'Größe 東京 🙂', ' ', 'a/b', 'c'])
    expect(fake.batches.flatMap(({ names }) => names)).toEqual(
      [1, 2, 3, 4, 5].map((line) => `${outcome.batch.id}-${line > 3 ? 1 : 0}-${line}`),
    )
  })
})

describe('what the upstream does not answer is run here', () => {
  test.each([
    ['lines that are missing', (name: string) => (name === 'task-1' ? '' : resultOf(name)), ['task-1']],
    [
      'lines that were too late',
      (name: string) => (name === 'task-1' ? '{"name":"task-1"}\n' : resultOf(name)),
      ['task-1'],
    ],
    [
      'lines that failed there',
      (name: string) => resultOf(name).replace('200', name === 'task-1' ? '500' : '200'),
      ['task-1'],
    ],
    ['lines that are no JSON', (name: string) => (name === 'task-1' ? 'no {json\n' : resultOf(name)), ['task-1']],
    ['lines without a name', (name: string) => (name === 'task-1' ? '{"status":200}\n' : resultOf(name)), ['task-1']],
    ['lines twice', (name: string) => resultOf(name) + resultOf(name), []],
    ['lines of others', (name: string) => resultOf(name) + resultOf(`other-${name}`) + resultOf('\\u0000\ud800'), []],
    ['blank lines', (name: string) => `\n\r\n${resultOf(name)}`, []],
    ['no line at all', () => '', all(4)],
  ] as const)('%s', async (_name, write, here) => {
    fake.results = ({ names }) => names.map(write).join('')
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual([...here])
  })

  test('two answers to one line in two files: the first counts', async () => {
    fake.end = ({ id }) => ({ results: [id, id] })
    fake.judge = () => ({ body: `{"n":${fake.asked.filter((verb) => verb === 'readResults').length}}` })
    const { output } = await run(tasks(2))
    expect(output.map(({ response }) => (response as JsonObject).body)).toEqual([{ n: 1 }, { n: 1 }])
  })

  test('errors that are final are not', async () => {
    fake.results = ({ names }) => names.map((name) => resultOf(name).replace('200', '400')).join('')
    const outcome = await run(tasks(2))
    expectWhole(outcome, 2, all(2))
    expect(outcome.here).toEqual([])
  })

  test('a batch that fails there', async () => {
    fake.end = () => ({ state: 'failed', reason: 'invalid_model', results: [] })
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual(all(4))
  })

  test('a batch that is gone there', async () => {
    const begun = await beginUpstream(home, fake, tasks(4))
    await begun.run(() => fake.batches.length > 0)
    fake.batches.length = 0
    await begun.run()
    expectWhole(await begun.outcome(), 4)
    expect(begun.here).toEqual(all(4))
  })

  test.each(['stage', 'submitBatch'])('an upstream that refuses to %s', async (verb) => {
    fake.before = (asked) => {
      if (asked === verb) refuse(400)
    }
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual(all(4))
    expect(fake.asked.filter((asked) => asked === verb)).toHaveLength(1)
  })

  test('a backend that is not there any more, or does not take batches any more', async () => {
    const begun = await beginUpstream(home, fake, tasks(4))
    await begun.run(() => fake.batches.length > 0)
    fake.isThere = false
    await begun.run()
    expectWhole(await begun.outcome(), 4)
    expect(begun.here).toEqual(all(4))
  })

  test('lines that cannot be judged before they go', async () => {
    const away = { status: 503, requestId: 'r', body: '{}', isRepeatable: true }
    fake.prepare = (id) => (id === 'task-1' ? away : undefined)
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual(['task-1'])
  })
})

describe('accidents', () => {
  test('429 is waited out as long as the upstream says, and everything is sent once', async () => {
    const at: Record<string, number[]> = {}
    fake.before = (verb, times) => {
      at[verb] = [...(at[verb] ?? []), home.clock.now()]
      if (times < 3 && ['stage', 'submitBatch', 'pollBatch', 'readResults'].includes(verb)) busy(45_000)
    }
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual([])
    expect(orders()).toEqual([4])
    for (const verb of ['stage', 'submitBatch', 'pollBatch']) {
      const times = at[verb] as number[]
      expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(45_000)
    }
  })

  test('an upstream that has too much to do gets the batch again later', async () => {
    fake.end = ({ id }) => (id === 'up-1' ? { state: 'failed', isLater: true, results: [] } : {})
    fake.maxLines = 3
    const outcome = await run(tasks(8))
    expectWhole(outcome, 8)
    expect(outcome.here).toEqual([])
    expect(orders()).toEqual([3, 3, 2, 3])
  })

  test.each([
    ['before', 'the order came'],
    ['after', 'the order came, unseen'],
  ] as const)('cut off %s %s: it is looked for, and there is one', async (when) => {
    fake[when] = (verb, times) => {
      if (verb === 'submitBatch' && times === 1) cut()
    }
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual([])
    expect(orders()).toEqual([4])
    expect(fake.asked).toContain('findBatches')
  })

  test('an order that turns up after it was made again is cancelled', async () => {
    const late: (typeof fake.batches)[number][] = []
    fake.after = (verb, times) => {
      if (verb !== 'submitBatch' || times > 1) return
      late.push(...fake.batches.splice(0))
      cut()
    }
    const begun = await beginUpstream(home, fake, tasks(4))
    await begun.run(() => fake.batches.length > 0)
    fake.batches.push(...late)
    await begun.run()
    expectWhole(await begun.outcome(), 4)
    expect(late[0]?.cancelledAt).toBeNumber()
  })

  test('orders that are taken and never shown end: each of them may cost as much as the one before', async () => {
    fake.after = (verb) => {
      if (verb !== 'submitBatch') return
      fake.batches.length = 0
      cut()
    }
    const outcome = await run(tasks(4))
    expectWhole(outcome, 4)
    expect(outcome.here).toEqual(all(4))
    expect(fake.asked.filter((verb) => verb === 'submitBatch')).toHaveLength(3)
  })

  test('two batches of one order: one is used, the other one cancelled', async () => {
    fake.after = (verb) => {
      const [only] = fake.batches
      if (verb !== 'submitBatch' || !only) return
      fake.batches.push({ ...only, id: 'up-twin' })
      cut()
    }
    expectWhole(await run(tasks(4)), 4)
    expect(fake.batches.map(({ cancelledAt }) => cancelledAt !== undefined)).toEqual([false, true])
  })

  test('results that break off are read again; what was noted stays', async () => {
    fake.before = (verb, times) => {
      if (verb === 'piece' && times % 40 === 0 && times < 500) cut()
    }
    const outcome = await run(tasks(60))
    expectWhole(outcome, 60)
    expect(outcome.here).toEqual([])
  })

  /** A server that dies at that point is another one that goes on when the lease has run out. */
  const verbs = ['stage', 'isStaged', 'submitBatch', 'pollBatch', 'readResults', 'discard']
  const points = verbs.flatMap((verb) => (['before', 'after'] as const).map((when) => [when, verb] as const))
  test.each(points)('kill %s %s: one order for every line, and every line once', async (when, verb) => {
    fake.maxLines = 5
    let deaths = 0
    fake[when] = (asked) => {
      if (asked !== verb || deaths === 2) return
      deaths++
      throw new Error('the server dies')
    }
    const outcome = await run(tasks(8))
    expect(deaths).toBe(2)
    expectWhole(outcome, 8)
    expect(outcome.here).toEqual([])
    expect(orders()).toEqual([5, 3])
  })
})
