import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Fault } from '../fault.ts'
import { createSealer } from './seal.ts'

const masterKey = new Uint8Array(32).fill(7)
const otherKey = new Uint8Array(32).fill(8)

function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('expected a Fault')
}

describe('sealer', () => {
  test('opens what it sealed, whatever the text and the context', () => {
    const sealer = createSealer(masterKey)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (plain, context) => {
        expect(sealer.open(sealer.seal(plain, context), context)).toBe(plain)
      }),
    )
  })

  test('writes v1.<iv>.<ciphertext and tag> without the plain text, and never the same twice', () => {
    const sealer = createSealer(masterKey)
    const first = sealer.seal('sk-secret', 'a')
    expect(first).toMatch(/^v1\.[\w-]{16}\.[\w-]+$/)
    expect(Buffer.from(first.split('.')[2] as string, 'base64url').length).toBe('sk-secret'.length + 16)
    expect(first).not.toContain('secret')
    expect(sealer.seal('sk-secret', 'a')).not.toBe(first)
  })

  test('does not open under another master key, and says the way out without the secret', () => {
    const sealed = createSealer(masterKey).seal('sk-secret', 'resource key key1')
    const fault = faultOf(() => createSealer(otherKey).open(sealed, 'resource key key1'))
    expect(fault.message).toContain('resource key key1 does not open with this master key')
    expect(fault.message).not.toContain('sk-secret')
    expect(fault.message).not.toContain(sealed)
  })

  test('does not open in another context, nor with any one byte changed', () => {
    const sealer = createSealer(masterKey)
    const sealed = sealer.seal('sk-secret', 'https://a.example')
    faultOf(() => sealer.open(sealed, 'https://b.example'))
    const [version, iv, body] = sealed.split('.') as [string, string, string]
    const bytes = Buffer.from(body, 'base64url')
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes)
      changed[i] = (changed[i] as number) ^ 1
      faultOf(() => sealer.open(`${version}.${iv}.${changed.toString('base64url')}`, 'https://a.example'))
    }
  })

  test.each(['', 'sk-secret', 'v2.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA', 'v1.AAAA.AAAA', 'v1..'])(
    'refuses %p as not sealed, without repeating it',
    (text) => {
      const fault = faultOf(() => createSealer(masterKey).open(text, 'a'))
      expect(fault.message).toBe('The stored secret of a is not in the form v1.<iv>.<ciphertext>.')
    },
  )

  test('keeps its own copy of the master key', () => {
    const key = new Uint8Array(masterKey)
    const sealer = createSealer(key)
    const sealed = sealer.seal('x', 'c')
    key.fill(0)
    expect(sealer.open(sealed, 'c')).toBe('x')
  })

  test('refuses a master key of another length', () => {
    expect(faultOf(() => createSealer(new Uint8Array(16))).message).toBe(
      'The master key has 16 bytes; it must have 32.',
    )
  })
})
