import { expect, test } from 'bun:test'
import type { CommandContext } from '../context.ts'
import { openProgress } from './progress.ts'

function watch(isTTY: boolean, total: number, steps: readonly number[]): string {
  let seen = ''
  const stderr = { isTTY, write: (text: string) => (seen += text) }
  const progress = openProgress({ stderr } as unknown as CommandContext, 'lines', total)
  for (const done of steps) progress.show(done)
  progress.end()
  return seen
}

test('a line for each tenth, and none where all is done at once', () => {
  expect(watch(false, 1000, [50, 99, 100, 150, 350, 1000])).toBe(
    '100 of 1,000 lines\n350 of 1,000 lines\n1,000 of 1,000 lines\n',
  )
  expect(watch(false, 3, [3])).toBe('')
})

test('at a terminal a line that changes and goes away', () => {
  expect(watch(true, 20, [5, 20])).toBe('\r5 of 20 lines\x1b[K\r20 of 20 lines\x1b[K\r\x1b[K')
})
