import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { PiiMatch, PiiRule } from '../plan.ts'
import { createPiiRule } from './pii-rule.ts'
import { piiTypes } from './pii-types.ts'
import { checkedValues, lookAlikes, names, openDraw, sentences } from './synthetic.fixture.ts'

const everything = createPiiRule(new Map(Object.keys(piiTypes).map((type) => [type, 'annotate'] as const)), false)
const find = (text: string) => everything.find(text).map(({ start, end, type }) => [type, text.slice(start, end)])

describe('context', () => {
  test('a weak shape counts behind its word only, in several languages', () => {
    expect(find('123456789')).toEqual([])
    for (const label of ['NIF', 'contribuinte n.º', 'o meu número de contribuinte é o']) {
      expect(find(`${label} 123456789`), label).toEqual([['PTTaxIdentificationNumber', '123456789']])
    }
    expect(find('BSN 111222333')).toEqual([['NLCitizensServiceNumber', '111222333']])
  })

  test('the word must stand within 60 characters, and be a word', () => {
    expect(find(`NIF${' '.repeat(57)}123456789`)).toHaveLength(1)
    expect(find(`NIF${' '.repeat(58)}123456789`)).toHaveLength(0)
    expect(find('manifest 123456789, NIFTY 123456789')).toEqual([])
  })

  test('of several the nearest says what it is', () => {
    // Valid for both.
    const value = '111222333'
    expect(find(`BSN or NIF ${value}`).concat(find(`NIF or BSN ${value}`))).toHaveLength(2)
    expect(find('passport or SSN: 536221234')).toEqual([['USSocialSecurityNumber', '536221234']])
    expect(find('SSN or passport: 536221234')).toEqual([['USUKPassportNumber', '536221234']])
  })

  test('a number of an order is no card, but a card is one even in an order', () => {
    expect(find('order no. 4111111111111111')).toEqual([])
    expect(find('paid the order with card no. 4111111111111111')).toEqual([['CreditCardNumber', '4111111111111111']])
    expect(find('for this order I used 4111111111111111')).toEqual([['CreditCardNumber', '4111111111111111']])
  })
})

describe('edges', () => {
  test('parts of something longer do not count', () => {
    for (const text of [
      '4111111111111111-1',
      '1.4111111111111111',
      'a4111111111111111',
      '4111111111111111.50',
      '/item/4111111111111111/x',
      '$4111111111111111',
      '4111111111111111%',
      '536-22-1234-99',
      '203.0.113.42.7',
      'x-536-22-1234',
    ]) {
      expect(find(text), text).toEqual([])
    }
  })

  test('punctuation around it does not hide it', () => {
    for (const [before, after] of [
      ['(', ')'],
      ['"', '"'],
      [':', '.'],
      ['=', ';'],
      ['\n', '\n'],
      ['', ','],
      ['“', '”'],
      ['[', ']'],
      ['', '. Then'],
    ]) {
      expect(find(`${before}536-22-1234${after}`), `${before} ${after}`).toEqual([
        ['USSocialSecurityNumber', '536-22-1234'],
      ])
    }
  })
})

describe('overlaps', () => {
  test('the checked wins, then the longer', () => {
    expect(find('phone or NHS 943 476 5919')).toEqual([['UKNationalHealthNumber', '943 476 5919']])
    expect(find('call or pay: 4111 1111 1111 1111')).toEqual([['CreditCardNumber', '4111 1111 1111 1111']])
    expect(find('https://jane:tulip9@example.com/a')).toEqual([
      ['URLWithCredentials', 'https://jane:tulip9@example.com/a'],
    ])
  })

  test('matches come in order and apart', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const found = everything.find(text)
        found.forEach(({ start, end }, at) => {
          expect(start).toBeLessThan(end)
          expect(start).toBeGreaterThanOrEqual(found[at - 1]?.end ?? 0)
          expect(end).toBeLessThanOrEqual(text.length)
        })
      }),
    )
  })
})

/** Sentences with values, look-alikes, broken values and scraps, in any order and joined by anything. */
const texts = fc
  .array(
    fc.oneof(
      fc.integer().map((seed) => {
        const draw = openDraw(seed)
        const type = draw.pick(Object.keys(checkedValues) as (keyof typeof checkedValues)[])
        const value = checkedValues[type]?.(draw) ?? ''
        return draw
          .pick(sentences)
          .replaceAll('#', draw.pick(names[type] ?? []))
          .replace('@', value)
      }),
      fc.integer().map((seed) => {
        const draw = openDraw(seed)
        return draw.pick(lookAlikes)(draw)
      }),
      fc.constantFrom(
        'jane@example.com',
        '+351 912 345 678',
        'password: Tulip!2024x',
        '12 Main Street',
        'born 1.2.1990',
        'sk_live_',
        '-----BEGIN PRIVATE KEY-----\n',
        'eyJ',
        'é',
        '𝟙',
        '536-22-1234',
        'https://a:b1@c.de/',
      ),
      fc.string({ maxLength: 12 }),
      fc.stringMatching(/^[0-9 .-]{0,24}$/),
    ),
    { maxLength: 5 },
  )
  .chain((parts) => fc.constantFrom(' ', '\n', '', ', ', '-').map((joint) => parts.join(joint)))

function findInPieces(rule: PiiRule, pieces: readonly string[]): PiiMatch[] {
  const stream = rule.open()
  const found: PiiMatch[] = []
  let read = 0
  let released = 0
  const check = (matches: readonly PiiMatch[]) => {
    // What was given out before a match was told cannot be taken back.
    for (const { start } of matches) expect(start).toBeGreaterThanOrEqual(released)
    expect(stream.settled).toBeGreaterThanOrEqual(released)
    expect(stream.settled).toBeLessThanOrEqual(read)
    released = stream.settled
    found.push(...matches)
  }
  for (const piece of pieces) {
    read += piece.length
    check(stream.feed(piece))
  }
  check(stream.end())
  expect(released).toBe(read)
  return found
}

describe('streams', () => {
  test('find the same however the text is cut, and give out nothing too early', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (text, sizes) => {
        const pieces: string[] = []
        for (let from = 0, at = 0; from < text.length; at++) {
          const size = sizes[at % sizes.length] as number
          pieces.push(text.slice(from, from + size))
          from += size
        }
        expect(findInPieces(everything, pieces)).toEqual([...everything.find(text)])
      }),
      { numRuns: 300 },
    )
  })

  test('one character at a time', () => {
    const draw = openDraw(3)
    for (let i = 0; i < 100; i++) {
      const type = draw.pick(Object.keys(checkedValues) as (keyof typeof checkedValues)[])
      const text = draw
        .pick(sentences)
        .replaceAll('#', draw.pick(names[type] ?? []))
        .replace('@', checkedValues[type]?.(draw) ?? '')
      expect(findInPieces(everything, [...text]), text).toEqual([...everything.find(text)])
    }
  })

  test('the context may have been given out long before', () => {
    const stream = everything.open()
    for (const char of 'My social security number, since you ask, is ') stream.feed(char)
    expect(stream.settled).toBeGreaterThan(40)
    expect([...stream.feed('536221234'), ...stream.feed(' ok')]).toEqual([
      { start: 45, end: 54, type: 'USSocialSecurityNumber' },
    ])
  })

  test('sentences are held back by no more than the word that is being written', () => {
    const stream = everything.open()
    const text = 'The committee met again on a rainy day to talk about the roof, which has leaked since autumn. '
    for (let read = 1; read <= text.length; read++) {
      stream.feed(text[read - 1] as string)
      expect(stream.settled).toBeGreaterThanOrEqual(text.lastIndexOf(' ', read - 2))
    }
  })
})

test('the screen hides nothing: streams do without it', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect([...everything.find(text)]).toEqual(findInPieces(everything, [text]))
    }),
    { numRuns: 500 },
  )
})

test('long hostile texts take no longer than others of their length', () => {
  for (const scrap of [
    'a@',
    '1 ',
    '1234-',
    '+1',
    'aaaa',
    'key=',
    'eyJ',
    'A1',
    '-----BEGIN ',
    '1.1.',
    'ab:',
    'x://a:',
  ]) {
    const text = scrap.repeat(Math.ceil(50_000 / scrap.length))
    expect(everything.find(text).length).toBeLessThan(text.length)
  }
})

test('characters that nobody sees do not hide a value', () => {
  expect(everything.find('card 4111\u200b1111\u00ad11111111 ok')).toEqual([
    { start: 5, end: 23, type: 'CreditCardNumber' },
  ])
  expect(everything.find('BIC DEUT\u2060DEFF ok')).toEqual([{ start: 4, end: 13, type: 'SWIFTCode' }])
  expect(everything.find('pass\u200bword: Tul\u200bip!2024x')).toEqual([{ start: 11, end: 23, type: 'GenericSecret' }])
})
