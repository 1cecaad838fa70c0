import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Fault } from '../../../core/fault.ts'
import { judgeAddress, normalizeHost } from './address-guard.ts'
import { resolveHost } from './resolve.ts'

const refused: readonly [address: string, because: string][] = [
  ['169.254.169.254', 'link-local'],
  ['169.254.0.1', 'link-local'],
  ['169.254.255.255', 'link-local'],
  ['100.100.100.200', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['febf:ffff::1', 'link-local'],
  ['ff02::1', 'multicast'],
  ['fd00:ec2::254', 'metadata'],
  ['FD00:0EC2:0:0:0:0:0:254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['::ffff:169.254.169.254', 'carries 169.254.169.254'],
  ['::ffff:a9fe:a9fe', 'carries 169.254.169.254'],
  ['::ffff:0:169.254.169.254', 'carries 169.254.169.254'],
  ['::169.254.169.254', 'carries 169.254.169.254'],
  ['64:ff9b::169.254.169.254', 'carries 169.254.169.254'],
  ['64:ff9b::100.100.100.200', 'carries 100.100.100.200'],
  ['64:ff9b:1::a83f:8110', 'carries 168.63.129.16'],
  ['64:ff9b:1:a9fe:a9:fe00::', 'carries 169.254.169.254'],
  ['2002:a9fe:a9fe::1', 'carries 169.254.169.254'],
  ['::ffff:0.0.0.0', 'carries 0.0.0.0'],
  ['not-an-address', 'not an IP address'],
]

const allowed = [
  '127.0.0.1',
  '127.255.0.1',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '100.100.100.201',
  '168.63.129.17',
  '169.253.255.255',
  '169.255.0.0',
  '223.255.255.255',
  '1.1.1.1',
  '::1',
  'fd00::1',
  'fd00:ec2::253',
  'fec0::1',
  '2606:4700::1111',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::8.8.8.8',
  '64:ff9b:1:808:8:800::',
]

describe('judgeAddress', () => {
  test.each(refused)('%s is refused: %s', (address, because) => {
    expect(judgeAddress(address)).toContain(because)
  })

  test.each(allowed)('%s is allowed', (address) => {
    expect(judgeAddress(address)).toBeUndefined()
  })

  test('an IPv4 address and its mapped form are judged alike', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(judgeAddress(`::ffff:${address}`) === undefined).toBe(judgeAddress(address) === undefined)
      }),
    )
  })
})

describe('normalizeHost', () => {
  test.each([
    ['2852039166', '169.254.169.254'],
    ['0xa9fea9fe', '169.254.169.254'],
    ['0xA9.0xFE.0xA9.0xFE', '169.254.169.254'],
    ['0251.0376.0251.0376', '169.254.169.254'],
    ['169.254.43518', '169.254.169.254'],
    ['169.254.169.254.', '169.254.169.254'],
    ['127.1', '127.0.0.1'],
    ['[::FFFF:169.254.169.254]', '::ffff:a9fe:a9fe'],
    ['fe80:0:0:0::1%eth0', 'fe80::1'],
    ['Example.COM', 'example.com'],
    ['１６９.254.169.254', '169.254.169.254'],
  ])('%s is %s', (spelled, plain) => {
    expect(normalizeHost(spelled)).toBe(plain)
  })

  test.each(['', 'a b', '256.1.1.1', 'host/path', 'user@host', 'host:80', '[::1'])('%j is no host', (spelled) => {
    expect(normalizeHost(spelled)).toBeUndefined()
  })
})

describe('resolveHost', () => {
  const catchFault = async (promise: Promise<unknown>): Promise<Fault> => {
    const error = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(Fault)
    return error as Fault
  }

  test('a name is judged by its addresses, and the allowed ones are what is connected to', async () => {
    const lookup = async () => ['169.254.169.254', '10.0.0.7', '::ffff:169.254.169.254']
    expect(await resolveHost('model.example', 'http://model.example', lookup)).toEqual(['10.0.0.7'])
  })

  test('a refusal names the address and the reason', async () => {
    const fault = await catchFault(
      resolveHost('rebound.example', 'http://rebound.example', async () => ['169.254.169.254']),
    )
    expect(fault.code).toBe('upstream-unavailable')
    expect(fault.message).toBe(
      'no connection to http://rebound.example: 169.254.169.254 is refused: it is link-local, where metadata services live',
    )
  })

  test('a name that does not exist', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }))
    const fault = await catchFault(resolveHost('no.example', 'http://no.example', lookup))
    expect(fault.message).toContain('no.example was not resolved (ENOTFOUND)')
  })

  test('a name without addresses', async () => {
    expect((await catchFault(resolveHost('e.example', 'http://e.example', async () => []))).message).toContain(
      'has no address',
    )
  })
})
