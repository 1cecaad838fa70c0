import { describe, expect, test } from 'bun:test'
import { Fault } from '../../../core/fault.ts'
import { chooseProxy } from './proxy.ts'

const settings = { httpsProxy: 'http://secure-proxy:3128', httpProxy: 'http://plain-proxy:8080' }

describe('which proxy', () => {
  test('by the scheme of the origin', () => {
    expect(chooseProxy(new URL('https://a.example'), settings)).toEqual({
      host: 'secure-proxy',
      port: 3128,
      authorization: undefined,
    })
    expect(chooseProxy(new URL('http://a.example'), settings)).toMatchObject({ host: 'plain-proxy', port: 8080 })
    expect(chooseProxy(new URL('https://a.example'), { httpProxy: 'http://plain-proxy' })).toBeUndefined()
    expect(chooseProxy(new URL('https://a.example'), {})).toBeUndefined()
    expect(chooseProxy(new URL('https://a.example'), { httpsProxy: '' })).toBeUndefined()
  })

  test('user and password are percent-decoded and sent as Basic', () => {
    const proxy = chooseProxy(new URL('https://a.example'), { httpsProxy: 'http://us%40er:p%3Ass@[::1]' })
    expect(proxy).toEqual({ host: '::1', port: 80, authorization: `Basic ${btoa('us@er:p:ss')}` })
    const bare = chooseProxy(new URL('https://a.example'), { httpsProxy: 'user:100%@proxy:1' })
    expect(bare).toEqual({ host: 'proxy', port: 1, authorization: `Basic ${btoa('user:100%')}` })
  })

  test.each(['https://u:s3cret@proxy', 'socks5://u:s3cret@proxy', 'http://u:s3cret@'])(
    '%s is refused without repeating it',
    (url) => {
      const choose = () => chooseProxy(new URL('https://a.example'), { httpsProxy: url })
      expect(choose).toThrow(Fault)
      expect(choose).toThrow(/^HTTPS_PROXY must be a URL like/)
      expect(choose).not.toThrow(/s3cret/)
    },
  )
})

describe('loopback is never proxied', () => {
  test.each(['localhost', 'api.localhost', '127.0.0.1', '127.9.9.9', '2130706433', '0x7f.1', '[::1]'])('%s', (host) => {
    expect(chooseProxy(new URL(`http://${host}:9`), settings)).toBeUndefined()
  })
})

describe('NO_PROXY', () => {
  test.each<[noProxy: string, origin: string, isDirect: boolean]>([
    ['*', 'https://a.example', true],
    ['a.example', 'https://a.example', true],
    ['A.Example', 'https://a.EXAMPLE', true],
    ['a.example', 'https://a.example.', true],
    ['a.example', 'https://b.a.example', true],
    ['a.example', 'https://ba.example', false],
    ['.a.example', 'https://b.a.example', true],
    ['*.a.example', 'https://b.a.example', true],
    ['.a.example', 'https://a.example', false],
    ['.a.example', 'https://ba.example', false],
    ['x.example, a.example', 'https://a.example', true],
    ['x.example a.example', 'https://a.example', true],
    ['a.example:443', 'https://a.example', true],
    ['a.example:443', 'https://a.example:8443', false],
    ['a.example:80', 'http://a.example', true],
    ['10.0.0.7', 'http://10.0.0.7', true],
    ['10.0.0.7', 'http://167772167', true],
    ['0.7', 'http://10.0.0.7', false],
    ['fd00::1', 'http://[fd00:0::1]', true],
    ['[fd00::1]:80', 'http://[fd00::1]', true],
    ['[fd00::1]:81', 'http://[fd00::1]', false],
    ['', 'https://a.example', false],
    [', ,', 'https://a.example', false],
    ['b.example', 'https://a.example', false],
  ])('%j and %s: direct %p', (noProxy, origin, isDirect) => {
    expect(chooseProxy(new URL(origin), { ...settings, noProxy }) === undefined).toBe(isDirect)
  })
})
