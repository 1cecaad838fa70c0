import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { BatchRow } from '../../port/tables/batches/port.ts'
import { createBatch, type Home, okAnswer, openHome, task, tasks } from './batches.fixture.ts'
import type { BatchParts, LineRun, RunLine } from './parts.ts'
import { beginBatch, hang, ids, refuse, statusOf } from './run.fixture.ts'

let home: Home

beforeEach(async () => {
  home = await openHome()
})
afterEach(() => home.remove())

const begin = (input: string, parts: Partial<BatchParts> = {}) => beginBatch(home, input, parts)
const run = async (input: string, parts: Partial<BatchParts> = {}) => (await begin(input, parts)).end()

describe('a batch that runs', () => {
  test('has every line once in its output, in their order, with counts, tokens and times', async () => {
    const started = home.clock.now()
    const { batch, output, errors } = await run(tasks(50))
    expect(ids(output)).toEqual(Array.from({ length: 50 }, (_, i) => `task-${i}`))
    expect(errors).toEqual([])
    expect(output[3]).toEqual({
      id: `batch_req_${batch.id.slice('batch_'.length)}_4`,
      custom_id: 'task-3',
      response: {
        status_code: 200,
        request_id: 'request-task-3',
        body: { choices: [{ message: { content: 'task-3' } }] },
      },
      error: null,
    })
    expect(batch).toMatchObject({
      status: 'completed',
      total: 50,
      completed: 50,
      failed: 0,
      tokens: { input: 500, cached: 200, output: 100, reasoning: 50 },
      enqueuedTokens: 0,
      createdAt: started,
    })
    for (const time of [batch.inProgressAt, batch.finalizingAt, batch.completedAt])
      expect(time).toBeGreaterThanOrEqual(started)
    expect(home.store.rows.get(batch.outputFileId ?? '')).toMatchObject({
      purpose: 'batch_output',
      owner: '',
      filename: `${batch.id}_output.jsonl`,
    })
    expect(await home.table.listResults(batch.id, 'done', 0, 9)).toEqual([])
  })

  test('gives each line to be answered as it was written, with what it needs', async () => {
    const runs: LineRun[] = []
    const runLine: RunLine = async (line) => {
      runs.push(line)
      return okAnswer(line.customId)
    }
    const { batch } = await run(`${task('a', {}, { seed: 7, odd: { 東京: ['🙂'] } })}\n\n${task('b')}`, { runLine })
    expect(runs.map(({ signal: _, ...line }) => line)).toMatchObject([
      {
        end: { kind: 'chat', wire: 'openai-chat' },
        endpoint: '/chat/completions',
        deployment: 'gpt',
        owner: '',
        batchId: batch.id,
        customId: 'a',
        runId: `${batch.id}-1`,
        body: { model: 'gpt', seed: 7, odd: { 東京: ['🙂'] } },
      },
      { customId: 'b', runId: `${batch.id}-3` },
    ])
  })

  test('answers that are not 200 are in the error file', async () => {
    const runLine: RunLine = async ({ customId }) => (customId === 'task-1' ? refuse(400) : okAnswer(customId))
    const { batch, output, errors } = await run(tasks(3), { runLine })
    expect(ids(output)).toEqual(['task-0', 'task-2'])
    expect(errors).toMatchObject([
      { custom_id: 'task-1', response: { status_code: 400, body: { error: { code: '400' } } }, error: null },
    ])
    expect(batch).toMatchObject({ status: 'completed', total: 3, completed: 2, failed: 1 })
  })

  test('a Fault that another try would not change is an error of its line, and says only what a caller may know', async () => {
    const runLine: RunLine = async ({ customId }) => {
      if (customId === 'task-0') throw new Fault('forbidden', 'Not for this key.')
      if (customId === 'task-1') throw new Fault('upstream-misconfigured', 'secret http://10.0.0.1')
      return okAnswer(customId)
    }
    const { errors } = await run(tasks(3), { runLine })
    expect(errors).toMatchObject([
      { custom_id: 'task-0', response: null, error: { code: 'forbidden', message: 'Not for this key.' } },
      { custom_id: 'task-1', response: null, error: { code: 'upstream_misconfigured' } },
    ])
    expect(JSON.stringify(errors)).not.toContain('10.0.0.1')
  })

  test('an answer of several lines is one line, and one that is no JSON is an error', async () => {
    const runLine: RunLine = async ({ customId }) => ({
      ...okAnswer(customId),
      body: customId === 'task-0' ? '{\r\n  "a": [1,\n 2],\n"b": "x\\ny"}' : '<html>',
    })
    const { output, errors } = await run(tasks(2), { runLine })
    expect(output).toMatchObject([{ response: { body: { a: [1, 2], b: 'x\ny' } } }])
    expect(errors).toMatchObject([{ custom_id: 'task-1', error: { code: 'invalid_response' } }])
  })

  test('usage that nobody can believe is not counted', async () => {
    const runLine: RunLine = async ({ customId }) => ({
      ...okAnswer(customId),
      usage: { promptTokens: 1e30, completionTokens: -5 },
    })
    expect((await run(tasks(2), { runLine })).batch.tokens).toEqual({ input: 0, cached: 0, output: 0, reasoning: 0 })
  })

  test('the files are as Azure makes them, or as OpenAI does', async () => {
    const azure = await run(tasks(1))
    expect(azure.batch.errorFileId).toBeDefined()
    expect(home.store.contents.get(azure.batch.errorFileId ?? '')?.length).toBe(0)
    const openai = await run(tasks(1), { settings: { behaviour: 'openai' } })
    expect(openai.batch.outputFileId).toBeDefined()
    expect(openai.batch.errorFileId).toBeUndefined()
    const failed = await run(tasks(1), { settings: { behaviour: 'openai' }, runLine: async () => refuse(400) })
    expect(failed.batch.outputFileId).toBeUndefined()
    expect(ids(failed.errors)).toEqual(['task-0'])
  })

  test('its files live as long as was asked for', async () => {
    const process = home.open()
    const id = await createBatch(process, home.store.put(tasks(1)), {
      output_expires_after: { anchor: 'created_at', seconds: 7_200 },
    })
    await process.work()
    const file = home.store.rows.get((await home.table.get(id))?.outputFileId ?? '')
    expect(file?.expiresAt).toBe((file?.createdAt ?? 0) + 7_200_000)
  })

  test('tells of its end once, whichever way it ended', async () => {
    const ended: (readonly [string, string])[] = []
    const onEnd = (batch: BatchRow) => void ended.push([batch.id, batch.status])
    const good = await run(tasks(3), { onEnd })
    const bad = await run('{', { onEnd })
    expect(ended).toEqual([
      [good.batch.id, 'completed'],
      [bad.batch.id, 'failed'],
    ])
  })

  test('tells again when the listener could not take it', async () => {
    let tries = 0
    const onEnd = async () => {
      if (tries++ === 0) throw new Fault('storage-unavailable', 'away')
    }
    const { state, process } = await begin(tasks(3), { onEnd })
    await home.clock.until(() => state.ended)
    expect(state.failure).toBeInstanceOf(Fault)
    await home.clock.pass(61_000)
    expect(await process.work()).toEqual({ kind: 'done' })
    expect(tries).toBe(2)
  })
})

describe('lines that are to be run again', () => {
  test('are, later each time, until they are answered; with the same id', async () => {
    const at: number[] = []
    const runIds = new Set<string>()
    const runLine: RunLine = async ({ customId, runId }) => {
      at.push(home.clock.now())
      runIds.add(runId)
      return at.length < 5 ? refuse(500) : okAnswer(customId)
    }
    const { output, batch } = await run(tasks(1), { runLine })
    expect(ids(output)).toEqual(['task-0'])
    expect(batch).toMatchObject({ completed: 1, failed: 0 })
    expect(runIds.size).toBe(1)
    const waits = at.slice(1).map((time, i) => time - (at[i] as number))
    expect(waits).toEqual([1_500, 3_000, 6_000, 12_000])
  })

  test('after the time that a 429 names nothing begins before', async () => {
    const began: number[] = []
    const start = home.clock.now()
    const runLine: RunLine = async ({ customId }) => {
      began.push(home.clock.now() - start)
      return began.length === 3 ? refuse(429, { retryAfterMs: 30_000 }) : okAnswer(customId)
    }
    const { output } = await run(tasks(200), { runLine })
    expect(output).toHaveLength(200)
    const later = began.filter((time) => time > 0)
    expect(later.length).toBeGreaterThan(150)
    for (const time of later) expect(time).toBeGreaterThanOrEqual(30_000)
  })

  test('a Fault for which one may come back is no end either', async () => {
    const faults = [
      new Fault('rate-limited', 'later', { retryAfterMs: 5_000 }),
      new Fault('deployment-paused', 'paused'),
      new Fault('budget-exhausted', 'tomorrow', { retryAfterMs: 120_000 }),
      new Fault('breakers-open', 'broken'),
      new Error('a bug'),
    ]
    const runLine: RunLine = async ({ customId }) => {
      const next = faults.shift()
      if (next) throw next
      return okAnswer(customId)
    }
    expect((await run(tasks(2), { runLine })).batch).toMatchObject({ completed: 2, failed: 0 })
  })

  test('what says of itself that it is final, or is not, is believed', async () => {
    let isFirst = true
    const runLine: RunLine = async ({ customId }) => {
      if (customId === 'task-0') return refuse(502, { isRepeatable: false })
      if (customId === 'task-1' && isFirst) {
        isFirst = false
        return refuse(409, { isRepeatable: true })
      }
      return okAnswer(customId)
    }
    const { errors, output } = await run(tasks(3), { runLine })
    expect(errors.map(statusOf)).toEqual([502])
    expect(ids(output)).toEqual(['task-1', 'task-2'])
  })

  test('one that hangs is given up after a time, and asked for again', async () => {
    let asked = 0
    let aborted = 0
    const runLine: RunLine = ({ customId, signal }) => {
      if (customId !== 'task-1' || asked++ > 1) return Promise.resolve(okAnswer(customId))
      signal.addEventListener('abort', () => aborted++)
      return hang()
    }
    const { batch, output } = await run(tasks(3), { runLine, settings: { lineTimeoutMs: 30_000 } })
    expect(ids(output)).toEqual(['task-0', 'task-1', 'task-2'])
    expect(batch.failed).toBe(0)
    expect(aborted).toBe(2)
  })

  test('one that fails again and again while others are answered is final long before the window ends', async () => {
    let tries = 0
    const runLine: RunLine = async ({ customId }) => {
      await home.clock.sleep(100)
      if (customId !== 'task-7') return okAnswer(customId)
      tries++
      return refuse(500)
    }
    const { batch, errors } = await run(tasks(200), { runLine, settings: { maxConcurrency: 2 } })
    expect(errors.map((line) => [line.custom_id, statusOf(line)])).toEqual([['task-7', 500]])
    expect(batch).toMatchObject({ status: 'completed', completed: 199, failed: 1 })
    expect(tries).toBe(12)
    expect((batch.completedAt ?? 0) - batch.createdAt).toBeLessThan(3_600_000)
  })

  test('while none is answered all are kept', async () => {
    const back = home.clock.now() + 600_000
    const runLine: RunLine = async ({ customId }) => (home.clock.now() < back ? refuse(503) : okAnswer(customId))
    const { batch } = await run(tasks(20), { runLine })
    expect(batch).toMatchObject({ status: 'completed', completed: 20, failed: 0 })
    expect(batch.completedAt).toBeGreaterThanOrEqual(back)
  })

  test('of a deployment that is away not all lines are asked for in vain', async () => {
    const asked = new Set<string>()
    const { state } = await begin(tasks(3_000), {
      async runLine({ customId }) {
        asked.add(customId)
        return refuse(500)
      },
    })
    await home.clock.pass(600_000)
    expect(state.ended).toBe(false)
    expect(asked.size).toBeLessThanOrEqual(600)
  })
})

describe('live traffic comes first', () => {
  /** The most lines that ran at once, and how many began, while so many live calls were there. */
  async function measure(load: number): Promise<{ most: number; began: number }> {
    const seen = { most: 0, began: 0, inFlight: 0 }
    const runLine: RunLine = async ({ customId }) => {
      seen.began++
      seen.most = Math.max(seen.most, ++seen.inFlight)
      await home.clock.sleep(1_000)
      seen.inFlight--
      return okAnswer(customId)
    }
    await begin(tasks(5_000), {
      runLine,
      load: (deployment) => (deployment === 'gpt' ? load : 0),
      settings: { maxConcurrency: 40, minConcurrency: 2 },
    })
    await home.clock.until(() => seen.began > 0)
    await home.clock.pass(10_000)
    return seen
  }

  test('many at once while nobody calls, few while somebody does, and at least as many as the settings say', async () => {
    expect((await measure(0)).most).toBe(40)
    expect((await measure(1)).most).toBe(10)
    expect((await measure(100)).most).toBe(2)
  })

  test('lines of a deployment that answers at once are spaced while somebody calls', async () => {
    let began = 0
    const runLine: RunLine = async ({ customId }) => {
      began++
      return okAnswer(customId)
    }
    await begin(tasks(5_000), { runLine, load: () => 1, settings: { busySpacingMs: 10 } })
    await home.clock.until(() => began === 1)
    await home.clock.pass(1_000)
    expect(began).toBeGreaterThan(80)
    expect(began).toBeLessThanOrEqual(101)
  })

  test('several batches share what one may have', async () => {
    let inFlight = 0
    let most = 0
    const runLine: RunLine = async ({ customId }) => {
      most = Math.max(most, ++inFlight)
      await home.clock.sleep(1_000)
      inFlight--
      return okAnswer(customId)
    }
    const process = home.open({ runLine, settings: { maxConcurrency: 20 } })
    for (let i = 0; i < 2; i++) await createBatch(process, home.store.put(tasks(300)))
    let ended = 0
    for (let i = 0; i < 2; i++) void process.work().then(() => ended++)
    await home.clock.pass(10_000)
    most = 0
    await home.clock.pass(5_000)
    expect(most).toBeLessThanOrEqual(20)
    await home.clock.until(() => ended === 2)
  })
})

test('batches of a deployment that is away do not keep others from running', async () => {
  const process = home.open({
    runLine: async ({ customId, deployment }) => (deployment === 'gpt' ? refuse(503) : okAnswer(customId)),
  })
  for (let i = 0; i < 12; i++) {
    await createBatch(process, home.store.put(tasks(30)))
    void process.work()
  }
  await home.clock.pass(60_000)
  const id = await createBatch(process, home.store.put(task('a', {}, { model: 'GPT-Batch' })))
  let isDone = false
  void process.work().then(() => {
    isDone = true
  })
  await home.clock.until(() => isDone, 5_000)
  expect((await home.table.get(id))?.status).toBe('completed')
})

describe('an input that changes while its lines run', () => {
  test('lines that are not there any more are errors, the others are answered', async () => {
    let began = 0
    const runLine: RunLine = async ({ customId }) => {
      began++
      await home.clock.sleep(1_000)
      return okAnswer(customId)
    }
    // So long that they are not read together.
    const input = ['a', 'b', 'c'].map((id) => task(id, {}, { user: 'x'.repeat(700_000) })).join('\n')
    const { id, end } = await begin(input, { runLine, settings: { maxConcurrency: 1 } })
    const inputId = (await home.table.get(id))?.inputFileId as string
    await home.clock.until(() => began === 1)
    home.store.contents.delete(inputId)
    const { batch, output, errors } = await end()
    expect(batch.status).toBe('completed')
    expect([...ids(output), ...ids(errors)].sort()).toEqual(['a', 'b', 'c'])
    expect(errors.length).toBeGreaterThanOrEqual(1)
    for (const line of errors) expect(line).toMatchObject({ response: null, error: { code: 'input_modified' } })
  })
})
