import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createOutbox, type Outbox, type Parcel } from './outbox.ts'

type Pushed = Parameters<Outbox['push']>
const parcel = (line: string, prompt?: string): Pushed => [
  { ends: [''], own: new TextEncoder().encode(line), count: 1 },
  prompt === undefined
    ? []
    : [
        {
          id: line,
          what: {
            hasPrompt: true,
            isRedacted: false,
            retentionDays: 1,
            prompt,
            sent: '',
            answer: undefined,
            isCut: false,
          },
        },
      ],
]
const read = ({ lines }: Parcel): string => new TextDecoder().decode(lines.own)

test('the oldest give way to the newest, and are counted', () => {
  const outbox = createOutbox(3, 1e9)
  for (const line of ['a', 'b', 'c', 'd', 'e']) outbox.push(...parcel(line, line === 'b' ? 'said' : undefined))
  expect([outbox.size, outbox.lost, outbox.lostContents]).toEqual([3, 2, 1])
  expect(outbox.take(9).map(read)).toEqual(['c', 'd', 'e'])
})

test('what could not be written goes back to the front', () => {
  const outbox = createOutbox(10, 1e9)
  for (const line of ['a', 'b', 'c']) outbox.push(...parcel(line))
  expect(outbox.take(2)).toHaveLength(2)
  outbox.push(...parcel('d'))
  expect(outbox.size).toBe(4)
  outbox.settle(false)
  expect(outbox.take(9).map(read)).toEqual(['a', 'b', 'c', 'd'])
  outbox.settle(true)
  expect([outbox.size, outbox.lost]).toEqual([0, 0])
})

test('texts are bounded by their bytes together', () => {
  const outbox = createOutbox(100, 10_000)
  for (let i = 0; i < 10; i++) outbox.push(...parcel(`${i}`, 'x'.repeat(4_000)))
  expect(outbox.size).toBe(2)
  expect(outbox.lostContents).toBe(8)
})

test('nothing is ever both kept and lost, whatever comes in between', () => {
  const step = fc.oneof(
    fc.constant('push' as const),
    fc.constant('take' as const),
    fc.constant('written' as const),
    fc.constant('failed' as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const outbox = createOutbox(5, 1e9)
      let [pushed, written, taken] = [0, 0, 0]
      for (const what of steps) {
        if (what === 'push') outbox.push(...parcel(`${pushed++}`))
        else if (what === 'take' && taken === 0) taken = outbox.take(3).length
        else if (what === 'written' || what === 'failed') {
          outbox.settle(what === 'written')
          if (what === 'written') written += taken
          taken = 0
        }
        // What is on its way is not thrown away, but counts.
        expect(outbox.size).toBeLessThanOrEqual(5 + taken)
        expect(outbox.size + outbox.lost + written).toBe(pushed)
      }
    }),
  )
})
