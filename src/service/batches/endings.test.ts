import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { ask, createBatch, type Home, okAnswer, openHome, type Process, tasks } from './batches.fixture.ts'
import type { BatchParts, RunLine } from './parts.ts'
import { beginBatch, hang, ids, refuse, statusOf } from './run.fixture.ts'

let home: Home

beforeEach(async () => {
  home = await openHome()
})
afterEach(() => home.remove())

const begin = (input: string, parts: Partial<BatchParts> = {}) => beginBatch(home, input, parts)
const run = async (input: string, parts: Partial<BatchParts> = {}) => (await begin(input, parts)).end()

describe('the window', () => {
  const minute = 60_000
  /** Lines that take two minutes each, four at a time. */
  const slow: Partial<BatchParts> = {
    async runLine({ customId }) {
      await home.clock.sleep(2 * minute)
      return okAnswer(customId)
    },
  }
  const settings = { maxConcurrency: 4, lineTimeoutMs: 10 * minute, windowMs: 24 * minute }

  test('as Azure has it, work goes on behind it', async () => {
    const { batch, output } = await run(tasks(60), { ...slow, settings })
    expect(output).toHaveLength(60)
    expect(batch).toMatchObject({ status: 'completed', completed: 60 })
    expect(batch.completedAt).toBeGreaterThan(batch.expiresAt)
    expect(batch.expiredAt).toBeUndefined()
  })

  test('as OpenAI has it, what is not answered expires, and each line is in one of the files', async () => {
    const { batch, output, errors } = await run(tasks(60), { ...slow, settings: { ...settings, behaviour: 'openai' } })
    expect(batch).toMatchObject({ status: 'expired', total: 60, completed: output.length, failed: errors.length })
    expect(output.length).toBeGreaterThan(40)
    expect([...ids(output), ...ids(errors)].sort()).toEqual(Array.from({ length: 60 }, (_, i) => `task-${i}`).sort())
    for (const line of errors) expect(line).toMatchObject({ response: null, error: { code: 'batch_expired' } })
    expect(batch.expiredAt).toBeGreaterThanOrEqual(batch.expiresAt)
    expect(batch.completedAt).toBeUndefined()
    expect(batch.enqueuedTokens).toBe(0)
  })

  test('behind it nothing is tried again', async () => {
    const { batch, errors } = await run(tasks(3), { runLine: async () => refuse(500), settings })
    expect(batch).toMatchObject({ status: 'completed', failed: 3 })
    expect(errors.map(statusOf)).toEqual([500, 500, 500])
    expect(batch.completedAt).toBeGreaterThanOrEqual(batch.expiresAt)
    expect((batch.completedAt ?? 0) - batch.expiresAt).toBeLessThan(2 * minute)
  })
})

describe('a batch that is cancelled', () => {
  const cancel = (process: Process, id: string) =>
    ask(process, '/{batch_id}/cancel', { method: 'POST', params: { batch_id: id } })

  test('keeps what was answered, lets end what runs, begins nothing more', async () => {
    let began = 0
    const runLine: RunLine = async ({ customId }) => {
      began++
      await home.clock.sleep(1_000)
      return okAnswer(customId)
    }
    const { process, id, end } = await begin(tasks(500), { runLine, settings: { maxConcurrency: 5 } })
    await home.clock.until(() => began >= 52)
    const asked = home.clock.now()
    expect((await cancel(process, id)).body).toMatchObject({
      status: 'cancelling',
      cancelling_at: Math.floor(asked / 1000),
    })
    const { batch, output, errors } = await end()
    expect(batch).toMatchObject({
      status: 'cancelled',
      total: 500,
      completed: output.length,
      failed: 0,
      enqueuedTokens: 0,
    })
    expect(output).toHaveLength(began)
    expect(began).toBeLessThan(60)
    expect(errors).toEqual([])
    expect((batch.cancelledAt ?? 0) - asked).toBeLessThanOrEqual(2_000)
    expect(await home.table.listWaiting(id, 0, 9)).toEqual([])
  })

  test('by way of another server too', async () => {
    let began = 0
    const runLine: RunLine = async ({ customId }) => {
      began++
      await home.clock.sleep(1_000)
      return okAnswer(customId)
    }
    const { id, end } = await begin(tasks(5_000), { runLine, settings: { maxConcurrency: 2 } })
    await home.clock.until(() => began >= 5)
    const asked = home.clock.now()
    await cancel(home.open(), id)
    const { batch } = await end()
    expect(batch.status).toBe('cancelled')
    expect((batch.cancelledAt ?? 0) - asked).toBeLessThanOrEqual(5_000)
  })

  test('does not wait for ever for a line that hangs', async () => {
    let aborted = 0
    const runLine: RunLine = ({ customId, signal }) => {
      if (customId !== 'task-3') return Promise.resolve(okAnswer(customId))
      signal.addEventListener('abort', () => aborted++)
      return hang()
    }
    const { process, id, end } = await begin(tasks(6), { runLine })
    await home.clock.pass(1_000)
    await cancel(process, id)
    const { batch, output } = await end()
    expect(batch).toMatchObject({ status: 'cancelled', completed: 5 })
    expect(ids(output)).not.toContain('task-3')
    expect((batch.cancelledAt ?? 0) - (batch.cancellingAt ?? 0)).toBeLessThanOrEqual(11_000)
    expect(aborted).toBe(1)
  })

  test('while it is validated has no files and no lines', async () => {
    const process = home.open({ settings: { portionLines: 1 } })
    const id = await createBatch(process, home.store.put(tasks(100)))
    await cancel(process, id)
    await process.work()
    expect(await home.table.get(id)).toMatchObject({
      status: 'cancelled',
      total: 0,
      completed: 0,
      outputFileId: undefined,
      errorFileId: undefined,
    })
    expect(await home.table.listWaiting(id, 0, 9)).toEqual([])
  })

  test('while it waits for its retries', async () => {
    const { process, id, end } = await begin(tasks(3), {
      runLine: async () => refuse(429, { retryAfterMs: 3_600_000 }),
    })
    await home.clock.pass(5_000)
    await cancel(process, id)
    const { batch } = await end()
    expect(batch).toMatchObject({ status: 'cancelled', completed: 0, failed: 0 })
    expect((batch.cancelledAt ?? 0) - (batch.cancellingAt ?? 0)).toBeLessThanOrEqual(1_000)
  })
})
