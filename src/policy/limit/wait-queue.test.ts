import { describe, expect, test } from 'bun:test'
import { Fault, toFault } from '../../core/fault.ts'
import { createClock, settleAll } from './limit.fixture.ts'
import { createWaitQueue } from './wait-queue.ts'

type No = 'no slot' | 'no tokens'

/** A queue in front of slots that the test hands out. */
function setUp(options: { maxWaiting?: number; maxWaitMs?: number; isSlow?: boolean } = {}) {
  const clock = createClock()
  const queue = createWaitQueue<No>({
    isAwaited: (refusal) => refusal === 'no slot',
    maxWaiting: options.maxWaiting ?? 10,
    maxWaitMs: options.maxWaitMs ?? 1_000,
    now: clock.now,
    startTimer: clock.startTimer,
  })
  const state = { free: 0, tries: 0 }
  const order: string[] = []
  const takeSlot = (): No | undefined => {
    state.tries++
    if (state.free === 0) return 'no slot'
    state.free--
    return undefined
  }
  const join = (name: string, rank = 1, signal = new AbortController().signal, take: () => No | undefined = takeSlot) =>
    queue.join(options.isSlow ? async () => take() : take, rank, signal).then(
      (waited) => order.push(`${name} ${waited ?? 'in'}`),
      (error) => order.push(`${name} ${toFault(error).code}`),
    )
  const free = async (count = 1) => {
    state.free += count
    queue.wake()
    await settleAll()
  }
  return { clock, queue, state, order, join, free }
}

describe.each([
  ['decided at once', false],
  ['decided later', true],
])('%s', (_, isSlow) => {
  test('those of lower rank first, and otherwise in order', async () => {
    const { join, order, free, queue } = setUp({ isSlow })
    for (const [name, rank] of [
      ['f', 2],
      ['d1', 1],
      ['p1', 0],
      ['d2', 1],
      ['p2', 0],
    ] as const)
      join(name, rank)
    await settleAll()
    for (let i = 0; i < 4; i++) await free()
    expect(order).toEqual(['p1 in', 'p2 in', 'd1 in', 'd2 in'])
    expect(queue.isEmpty()).toBe(false)
    await free(3)
    expect(order.at(-1)).toBe('f in')
    expect(queue.isEmpty()).toBe(true)
  })

  test('as many as there is room for', async () => {
    const { join, order, free, state } = setUp({ isSlow })
    for (const name of ['a', 'b', 'c', 'd']) join(name)
    await settleAll()
    await free(3)
    expect(order).toEqual(['a in', 'b in', 'c in'])
    expect(state.free).toBe(0)
  })

  test('time is bounded, and nothing runs when nobody waits', async () => {
    const { join, order, clock } = setUp({ isSlow })
    join('a')
    await clock.advance(400)
    join('b')
    await clock.advance(599)
    expect(order).toEqual([])
    await clock.advance(1)
    expect(order).toEqual(['a full'])
    await clock.advance(400)
    expect(order).toEqual(['a full', 'b full'])
    expect(clock.pendingTimers()).toBe(0)
  })

  test('what others gave back is noticed', async () => {
    const { join, order, clock, state } = setUp({ isSlow })
    join('a')
    await clock.advance(150)
    state.free = 1
    await clock.advance(100)
    expect(order).toEqual(['a in'])
    expect(clock.pendingTimers()).toBe(0)
  })

  test('length is bounded: a newcomer finds no room, or takes that of one who ranks lower', async () => {
    const { join, order, free } = setUp({ isSlow, maxWaiting: 2 })
    join('d1')
    join('f', 2)
    await settleAll()
    join('f2', 2)
    await settleAll()
    expect(order).toEqual(['f2 full'])
    join('d2')
    await settleAll()
    expect(order).toEqual(['f2 full', 'f full'])
    await free(2)
    expect(order.slice(2)).toEqual(['d1 in', 'd2 in'])
  })

  test('a caller who leaves makes room', async () => {
    const { join, order, free } = setUp({ isSlow })
    const leaving = new AbortController()
    join('a', 1, leaving.signal)
    join('b')
    await settleAll()
    leaving.abort()
    await settleAll()
    expect(order).toEqual(['a client-gone'])
    await free()
    expect(order).toEqual(['a client-gone', 'b in'])
    join('c', 1, AbortSignal.abort())
    await settleAll()
    expect(order.at(-1)).toBe('c client-gone')
  })

  test('another refusal ends the waiting, and the next is tried', async () => {
    const { join, order, free } = setUp({ isSlow })
    const mood: { refusal: No } = { refusal: 'no slot' }
    join('a', 1, undefined, () => mood.refusal)
    join('b')
    await settleAll()
    mood.refusal = 'no tokens'
    await free()
    expect(order).toEqual(['a no tokens', 'b in'])
  })

  test('an accident ends the waiting of the one it met', async () => {
    const { join, order, free } = setUp({ isSlow })
    join('a', 1, undefined, () => {
      throw new Fault('internal', 'broken')
    })
    join('b')
    await settleAll()
    await free()
    expect(order).toEqual(['a internal', 'b in'])
  })
})

test('a caller who leaves while being let in is not in, and whoever let it in learns so', async () => {
  const { clock, queue } = setUp()
  const leaving = new AbortController()
  const { promise: decision, resolve: decide } = Promise.withResolvers<undefined>()
  const waited = queue.join(() => decision, 1, leaving.signal).catch((error: Fault) => error.code)
  await settleAll()
  leaving.abort()
  await clock.advance(5_000)
  expect(queue.isEmpty()).toBe(false)
  decide(undefined)
  expect(await waited).toBe('client-gone')
  expect(queue.isEmpty()).toBe(true)
})

test('a caller who leaves while being refused waits no longer', async () => {
  const { queue } = setUp()
  const leaving = new AbortController()
  const { promise: decision, resolve: decide } = Promise.withResolvers<No>()
  const waited = queue.join(() => decision, 1, leaving.signal).catch((error: Fault) => error.code)
  await settleAll()
  leaving.abort()
  decide('no slot')
  expect(await waited).toBe('client-gone')
  expect(queue.isEmpty()).toBe(true)
})

test('a caller who leaves after being let in disturbs nobody', async () => {
  const { join, order, free, queue } = setUp()
  const leaving = new AbortController()
  join('a', 1, leaving.signal)
  join('b')
  await settleAll()
  await free()
  leaving.abort()
  await settleAll()
  expect(queue.isEmpty()).toBe(false)
  await free()
  expect(order).toEqual(['a in', 'b in'])
})
