import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { openJsonText } from './json-text.ts'

const inner = (value: string) => JSON.stringify(value).slice(1, -1)

test('reads what the escapes say, however they are cut', () => {
  const escapes = fc.constantFrom('\\u0041', '\\n', '\\\\', '\\"', '\\ud83d\\ude00', 'a', 'bc', '\\/', ' ')
  fc.assert(
    fc.property(fc.array(escapes), fc.array(fc.nat(200)), (parts, cuts) => {
      const raw = parts.join('')
      const reader = openJsonText()
      let text = ''
      let from = 0
      for (const cut of [...cuts.filter((at) => at < raw.length).sort((a, b) => a - b), raw.length]) {
        text += reader.read(raw.slice(from, cut))
        from = cut
      }
      expect(text + reader.end()).toBe(JSON.parse(`"${raw}"`) as string)
    }),
  )
})

test('knows where each character stands among the raw ones', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const reader = openJsonText()
      reader.read(`${inner(before)}X${inner(after)}`)
      expect(reader.rawOf(before.length)).toBe(inner(before).length)
    }),
  )
})

test('an escape that is none stays as it is, and one that is never finished comes at the end', () => {
  const reader = openJsonText()
  expect(reader.read('a\\qb\\u00')).toBe('a\\qb')
  expect(reader.end()).toBe('\\u00')
})
