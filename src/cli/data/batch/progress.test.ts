import { expect, test } from 'bun:test'
import { openStatusLine } from '../../terminal/status-line.ts'
import { type BatchItem, exitCodeOf } from './batch-item.ts'
import { createBatchProgress } from './wait-for-batch.ts'

const at = (status: string, total = 0, completed = 0, failed = 0) =>
  ({ status, request_counts: { total, completed, failed } }) as BatchItem

function watch(isTTY: boolean, batches: readonly BatchItem[]): string {
  let seen = ''
  let time = 0
  const stderr = { isTTY, columns: 60, write: (text: string) => (seen += text) }
  const line = openStatusLine({ stderr } as never)
  const show = createBatchProgress({ stderr } as never, line.show, () => time)
  for (const batch of batches) {
    show(batch)
    time += 1_000
  }
  line.end()
  return seen
}

const course = [
  at('validating'),
  at('validating'),
  at('in_progress', 1000),
  at('in_progress', 1000, 50),
  at('in_progress', 1000, 95, 5),
  at('in_progress', 1000, 600, 5),
  at('finalizing', 1000, 995, 5),
]

test('a line for each change of status and each tenth', () => {
  expect(watch(false, course)).toBe(
    [
      'Validating',
      '0 of 1,000 lines',
      '100 of 1,000 lines, 5 failed, 50/s, 18 s left',
      '605 of 1,000 lines, 5 failed, 202/s, 2 s left',
      'Writing the results',
      '',
    ].join('\n'),
  )
})

test('at a terminal one line with a bar, never longer than it is wide', () => {
  const lines = watch(true, course).split('\r')
  expect(lines[4]).toBe('[#-----------------------] 50 of 1,000 lines, 50/s, 19 s le\x1b[K')
  expect(lines.at(-1)).toBe('\x1b[K')
})

test('the exit code says how it ended', () => {
  expect(exitCodeOf(at('completed', 2, 2))).toBe(0)
  expect(exitCodeOf(at('completed', 2, 1, 1))).toBe(3)
  for (const status of ['failed', 'expired', 'cancelled']) expect(exitCodeOf(at(status, 2, 2))).toBe(1)
})
