import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test'
import type { Leave } from '../core/deployment.ts'
import type { Fault } from '../core/fault.ts'
import { createPlaces } from './places.ts'

const never = new AbortController().signal
const outcome = (promise: Promise<Leave>) => promise.then(() => 'in').catch((fault: Fault) => fault.code)

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

const open = (limit: number | undefined, shares: Record<string, number> = {}) => {
  const places = createPlaces({ maxWaiting: 3, maxWaitMs: 1_000 })
  places.configure(limit, new Map(Object.entries(shares)))
  return places
}

test('without a limit everybody gets in', () => {
  const places = open(undefined)
  for (let i = 0; i < 100; i++) expect(places.take('a')).toBeDefined()
})

test('with one, as many as it says', () => {
  const places = open(2)
  const first = places.take('a')
  expect(places.take('b')).toBeDefined()
  expect(places.take('a')).toBeUndefined()
  first?.()
  first?.()
  expect(places.take('a')).toBeDefined()
  expect(places.take('a')).toBeUndefined()
})

test('a share is kept for its deployment, however many others come', () => {
  const places = open(4, { bought: 2 })
  const others = Array.from({ length: 10 }, () => places.take('other')).filter(Boolean)
  expect(others).toHaveLength(2)
  expect(places.take('bought')).toBeDefined()
  expect(places.take('bought')).toBeDefined()
  expect(places.take('bought')).toBeUndefined()
})

test('who waits is let in by rank and then in order', async () => {
  const places = open(1)
  const leave = places.take('a') as Leave
  const order: string[] = []
  const come = (name: string, rank: number) =>
    places.wait('a', rank, never).then((give) => {
      order.push(name)
      give()
    })
  const all = [come('flex', 2), come('default', 1), come('priority', 0)]
  leave()
  await Promise.all(all)
  expect(order).toEqual(['priority', 'default', 'flex'])
})

test('nobody overtakes who waits, but for whoever has places of his own', async () => {
  const places = open(3, { bought: 1 })
  const leave = [places.take('a'), places.take('b')][0] as Leave
  const waiting = outcome(places.wait('a', 1, never))
  expect(places.take('b')).toBeUndefined()
  expect(places.take('bought')).toBeDefined()
  leave()
  expect(await waiting).toBe('in')
})

describe('waiting ends', () => {
  test('when it takes too long', async () => {
    const places = open(1)
    places.take('a')
    const waiting = outcome(places.wait('a', 1, never))
    jest.advanceTimersByTime(1_000)
    expect(await waiting).toBe('rate-limited')
  })

  test('when the line is full', async () => {
    const places = open(1)
    places.take('a')
    const waiting = [1, 2, 3].map(() => outcome(places.wait('a', 1, never)))
    expect(await outcome(places.wait('a', 0, never))).toBe('rate-limited')
    jest.advanceTimersByTime(1_000)
    expect(await Promise.all(waiting)).toEqual(['rate-limited', 'rate-limited', 'rate-limited'])
  })

  test('when the caller leaves, who then holds nothing', async () => {
    const places = open(1)
    const leave = places.take('a') as Leave
    const gone = new AbortController()
    const waiting = outcome(places.wait('a', 1, gone.signal))
    gone.abort()
    expect(await waiting).toBe('client-gone')
    leave()
    expect(places.take('a')).toBeDefined()
  })

  test('when there are more places', async () => {
    const places = open(1)
    places.take('a')
    const waiting = outcome(places.wait('a', 1, never))
    places.configure(2, new Map())
    expect(await waiting).toBe('in')
  })
})

test('fewer places than calls that run let nobody in until enough have ended', () => {
  const places = open(3)
  const running = [1, 2, 3].map(() => places.take('a') as Leave)
  places.configure(1, new Map())
  running[0]?.()
  running[1]?.()
  expect(places.take('a')).toBeUndefined()
  running[2]?.()
  expect(places.take('a')).toBeDefined()
})
