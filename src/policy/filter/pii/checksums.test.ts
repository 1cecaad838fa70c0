import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { passesIban, passesLuhn, passesMod1110, passesVerhoeff, remainderOf } from './checksums.ts'

/** Numbers from the standards and from the samples of those who issue them. */

test('published samples pass', () => {
  for (const card of ['4111111111111111', '378282246310005', '30569309025904', '79927398713'])
    expect(passesLuhn(card)).toBe(true)
  for (const iban of [
    'DE89370400440532013000',
    'GB29NWBK60161331926819',
    'FR1420041010050500013M02606',
    'NO9386011117947',
  ])
    expect(passesIban(iban)).toBe(true)
  expect(passesVerhoeff('2363')).toBe(true)
  expect(passesMod1110('86095742719')).toBe(true)
})

test('the remainder of long numbers is exact', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.integer({ min: 2, max: 97 }), (number, divisor) => {
      expect(remainderOf(String(number), divisor)).toBe(Number(number % BigInt(divisor)))
    }),
  )
})

for (const [name, passes, valid] of [
  ['Luhn', passesLuhn, '4111111111111111'],
  ['Verhoeff', passesVerhoeff, '290979781278'],
  ['MOD 11,10', passesMod1110, '86095742719'],
  ['IBAN', passesIban, 'NO9386011117947'],
] as const) {
  test(`${name} notices every wrong digit`, () => {
    for (let at = 0; at < valid.length; at++) {
      for (const digit of '0123456789') {
        if (digit === valid[at] || !/\d/.test(valid[at] as string)) continue
        const wrong = valid.slice(0, at) + digit + valid.slice(at + 1)
        expect(passes(wrong), wrong).toBe(false)
      }
    }
  })
}

test('Verhoeff notices neighbours that changed places', () => {
  const valid = '290979781278'
  for (let at = 0; at + 1 < valid.length; at++) {
    if (valid[at] === valid[at + 1]) continue
    const swapped = valid.slice(0, at) + valid[at + 1] + valid[at] + valid.slice(at + 2)
    expect(passesVerhoeff(swapped), swapped).toBe(false)
  }
})
