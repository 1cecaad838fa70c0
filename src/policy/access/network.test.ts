import { describe, expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import { compileNetworkRules, createAddressReader, type NetworkRules, readRange } from './network.ts'

function isLetIn(rules: NetworkRules, address: string): boolean {
  try {
    compileNetworkRules(rules)?.(address)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    expect((error as Fault).status).toBe(403)
    return false
  }
}

const only = (...values: string[]): NetworkRules => ({
  networkAcls: { defaultAction: 'Deny', ipRules: values.map((value) => ({ value })) },
})

describe('network rules', () => {
  test('without any, nobody is even asked where he comes from', () => {
    for (const rules of [
      {},
      { publicNetworkAccess: 'Enabled' },
      { networkAcls: { defaultAction: 'Allow' } },
    ] as const) {
      expect(compileNetworkRules(rules)).toBeUndefined()
    }
  })

  test.each<[NetworkRules, string[], string[]]>([
    [only(), [], ['127.0.0.1', '10.0.0.1', '::1', '']],
    [
      only('10.1.0.0/16', '203.0.113.7'),
      ['10.1.255.255', '203.0.113.7', '::ffff:10.1.2.3'],
      ['10.2.0.0', '203.0.113.8', '127.0.0.1', '::1', '', 'unknown', '10.1.0.1.evil.example'],
    ],
    [only('2001:db8::/32', '::1'), ['2001:db8::1', '2001:0db8:ffff::', '::1', '::1%lo'], ['2001:db9::1', '127.0.0.1']],
    [only('0.0.0.0/0'), ['8.8.8.8', '127.0.0.1'], ['2001:db8::1']],
    [
      { publicNetworkAccess: 'Disabled' },
      ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'],
      ['10.0.0.1', '8.8.8.8', 'fe80::1', '', '127.0.0.1, 8.8.8.8'],
    ],
    [{ publicNetworkAccess: 'Disabled', networkAcls: { defaultAction: 'Allow' } }, ['::1'], ['10.0.0.1']],
  ])('%j', (rules, inside, outside) => {
    expect(inside.filter((address) => !isLetIn(rules, address))).toEqual([])
    expect(outside.filter((address) => isLetIn(rules, address))).toEqual([])
  })

  test('a refusal says who was refused, but repeats only addresses', () => {
    const message = (address: string) => {
      try {
        compileNetworkRules(only())?.(address)
      } catch (error) {
        return (error as Fault).message
      }
    }
    expect(message('10.0.0.1')).toContain('10.0.0.1')
    expect(message('<script>')).not.toContain('script')
  })
})

test.each([
  ['10.0.0.1', true],
  ['10.0.0.0/8', true],
  ['::/0', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0/', false],
  ['10.0.0.0/8/8', false],
  ['10.0.0.0/-1', false],
  ['10.0.0.0/8x', false],
  ['300.0.0.1', false],
  ['example.com', false],
  ['fe80::1%eth0', false],
  ['', false],
])('%j is a range: %p', (text, is) => {
  expect(readRange(text) !== undefined).toBe(is)
})

describe('an address behind proxies', () => {
  const read = createAddressReader(['10.0.0.0/8', '::1'])
  const from = (socket: string, forwarded?: string) => {
    const headers = new Headers()
    if (forwarded !== undefined) headers.set('x-forwarded-for', forwarded)
    return read?.(socket, headers)
  }

  test('is the last one that no trusted proxy has', () => {
    expect(from('10.0.0.1', '203.0.113.7')).toBe('203.0.113.7')
    expect(from('10.0.0.1', '1.1.1.1, 203.0.113.7, 10.9.9.9')).toBe('203.0.113.7')
    expect(from('::1', '203.0.113.7:4711')).toBe('203.0.113.7')
    expect(from('::1', '[2001:db8::1]:4711')).toBe('2001:db8::1')
  })

  test('is not what a stranger says', () => {
    expect(from('203.0.113.9', '127.0.0.1')).toBe('203.0.113.9')
    expect(from('10.0.0.1', '127.0.0.1, 203.0.113.9')).toBe('203.0.113.9')
    expect(from('10.0.0.1', '127.0.0.1, nonsense')).toBe('nonsense')
  })

  test('a proxy that names nobody speaks for itself; one that names only proxies, for the first of them', () => {
    expect(from('10.0.0.1')).toBe('10.0.0.1')
    expect(from('10.0.0.1', '10.0.0.3, 10.0.0.2')).toBe('10.0.0.3')
  })

  test('without trusted proxies is not looked for', () => {
    expect(createAddressReader([])).toBeUndefined()
  })
})
