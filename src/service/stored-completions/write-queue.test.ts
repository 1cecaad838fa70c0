import { expect, test } from 'bun:test'
import type { NewStoredCompletion } from '../../port/tables/stored-completions/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { createWriteQueue } from './write-queue.ts'

const row = (id: string): NewStoredCompletion => ({
  owner: '',
  id,
  completion: {},
  metadata: {},
  createdAt: 0,
  messages: [],
  models: [],
})

function open(add?: (rows: readonly NewStoredCompletion[]) => Promise<void>) {
  const batches: string[][] = []
  const warnings: string[] = []
  const log = { warn: (_fields: object, message: string) => void warnings.push(message) } as unknown as Logger
  const table = {
    async add(rows: readonly NewStoredCompletion[]) {
      batches.push(rows.map(({ id }) => id))
      await add?.(rows)
    },
  }
  return { batches, warnings, queue: createWriteQueue({ table, log, maxAnswerBytes: 100, maxHeldBytes: 250 }) }
}

test('what is kept is written in order, after the turn in which it was, many in one transaction', async () => {
  const { queue, batches } = open()
  for (let i = 0; i < 40; i++) queue.hold('r').keep(async () => row(`${i}`))
  expect(batches).toEqual([])
  await queue.settle()
  const ids = Array.from({ length: 40 }, (_, i) => `${i}`)
  expect(batches).toEqual([ids.slice(0, 32), ids.slice(32)])
})

test('settling waits for what was kept before, not for what comes after', async () => {
  const gate = Promise.withResolvers<void>()
  const { queue, batches } = open((rows) => (rows[0]?.id === 'late' ? gate.promise : Promise.resolve()))
  await queue.settle()
  queue.hold('r').keep(async () => row('early'))
  const settled = queue.settle()
  await settled
  queue.hold('r').keep(async () => row('late'))
  await settled
  expect(batches[0]).toEqual(['early'])
  gate.resolve()
  await queue.settle()
  expect(batches).toEqual([['early'], ['late']])
})

test('an answer that outgrows its bound is dropped whole and gives its room back', async () => {
  const { queue, batches, warnings } = open()
  const holding = queue.hold('r')
  expect(holding.take(60)).toBe(true)
  expect(holding.take(41)).toBe(false)
  expect(holding.take(1)).toBe(false)
  holding.keep(async () => row('a'))
  await queue.settle()
  expect(batches).toEqual([])
  expect(warnings).toEqual(['a completion was not stored: with its request it is larger than 100 bytes'])
  for (let i = 0; i < 2; i++) expect(queue.hold('r').take(100)).toBe(true)
})

test('answers together are bounded; room comes back when they are written or dropped', async () => {
  const { queue, warnings } = open()
  const [first, second, third] = [queue.hold('1'), queue.hold('2'), queue.hold('3')]
  expect([first.take(100), second.take(100), third.take(51)]).toEqual([true, true, false])
  expect(warnings).toEqual(['a completion was not stored: too many wait to be written'])
  first.keep(async () => row('a'))
  first.drop()
  second.drop()
  await queue.settle()
  const again = [queue.hold('4'), queue.hold('5'), queue.hold('6')]
  expect(again.map((holding) => holding.take(83))).toEqual([true, true, true])
})

test('an answer that cannot be made or written does not take others with it, and the next ones are written', async () => {
  const { queue, batches, warnings } = open(async (rows) => {
    if (rows.some(({ id }) => id === 'bad')) throw new Error('disk full')
  })
  queue.hold('r').keep(() => Promise.reject(new Error('no choices')))
  queue.hold('r').keep(async () => row('a'))
  await queue.settle()
  for (const id of ['b', 'bad', 'c']) queue.hold('r').keep(async () => row(id))
  await queue.settle()
  queue.hold('r').keep(async () => row('d'))
  await queue.settle()
  expect(batches).toEqual([['a'], ['b', 'bad', 'c'], ['b'], ['bad'], ['c'], ['d']])
  expect(warnings).toEqual(['a completion was not stored: no choices', 'a completion was not stored: disk full'])
})
