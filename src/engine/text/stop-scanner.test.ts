import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createStopScanner } from './stop-scanner.ts'

function scan(pieces: readonly string[], stops: readonly string[]): { text: string; isStopped: boolean } {
  const scanner = createStopScanner(stops)
  let text = ''
  for (const piece of pieces) {
    const step = scanner.push(piece)
    text += step.text
    if (step.isStopped) return { text, isStopped: true }
  }
  return { text: text + scanner.end(), isStopped: false }
}

const letters = (maxLength: number, minLength = 0) =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength, maxLength })

test('any chunking gives the text before the stop string that is complete first', () => {
  fc.assert(
    fc.property(
      fc.array(letters(4), { maxLength: 12 }),
      fc.array(letters(4, 1), { minLength: 1, maxLength: 4 }),
      (pieces, stops) => {
        const whole = pieces.join('')
        const ends = stops.flatMap((stop) => (whole.includes(stop) ? [whole.indexOf(stop) + stop.length] : []))
        const end = Math.min(...ends)
        const starts = stops.filter((stop) => whole.slice(0, end).endsWith(stop)).map((stop) => end - stop.length)
        const expected =
          ends.length > 0
            ? { text: whole.slice(0, Math.min(...starts)), isStopped: true }
            : { text: whole, isStopped: false }
        expect(scan(pieces, stops)).toEqual(expected)
        expect(scan([...whole], stops)).toEqual(expected)
      },
    ),
    { numRuns: 3000 },
  )
})

test('text is held back only as long as it may become a stop string', () => {
  const scanner = createStopScanner(['\n\nUser:'])
  expect(scanner.push('Hello\n')).toEqual({ text: 'Hello', isStopped: false })
  expect(scanner.push('\nUse')).toEqual({ text: '', isStopped: false })
  expect(scanner.push('ful')).toEqual({ text: '\n\nUseful', isStopped: false })
  expect(scanner.push('\n\nUser: hi')).toEqual({ text: '', isStopped: true })
})

test('without stop strings everything passes at once', () => {
  expect(createStopScanner([]).push('abc')).toEqual({ text: 'abc', isStopped: false })
})
