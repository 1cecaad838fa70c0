import { expect, test } from 'bun:test'
import type { Logger } from '../../telemetry/logger.ts'
import { startSweep, sweep } from './sweep.ts'

function open(counts: readonly (number | Error)[]) {
  const asked: { createdAt: number; limit: number }[] = []
  const logged: string[] = []
  const note = (level: string) => (fields: object, message: string) =>
    void logged.push(`${level} ${JSON.stringify(fields)} ${message}`)
  const log = { info: note('info'), error: note('error') } as unknown as Logger
  const table = {
    async deleteOlder(createdAt: number, limit: number) {
      const count = counts[asked.length] ?? 0
      asked.push({ createdAt, limit })
      if (count instanceof Error) throw count
      return count
    },
  }
  return { asked, logged, options: { table, keepMs: 1000, now: () => 5000, log } }
}

test('goes on in batches until nothing is left that is too old', async () => {
  const { asked, logged, options } = open([200, 200, 7])
  await sweep(options)
  expect(asked).toEqual([4000, 4000, 4000].map((createdAt) => ({ createdAt, limit: 200 })))
  expect(logged).toEqual(['info {"removed":407} stored completions past their time were removed'])
})

test('a failure is logged and ends it for now', async () => {
  const { asked, logged, options } = open([200, new Error('locked')])
  await sweep(options)
  expect(asked).toHaveLength(2)
  expect(logged).toEqual(['error {} stored completions past their time could not be removed: locked'])
})

test('begins at once, and stopping waits for the batch in progress only', async () => {
  const { asked, options } = open(Array.from({ length: 1000 }, () => 200))
  const stop = startSweep(options)
  expect(asked).toHaveLength(1)
  await stop()
  const count = asked.length
  expect(count).toBeLessThan(5)
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toHaveLength(count)
})
