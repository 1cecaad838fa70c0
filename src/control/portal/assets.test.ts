import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { Fault } from '../../core/fault.ts'
import { type Assets, openAssets } from './assets.ts'
import { type PortalFixture, script, startPortal, style } from './portal.fixture.ts'

let portal: PortalFixture
let assets: Assets
beforeAll(() => {
  portal = startPortal()
  assets = openAssets(portal.folder)
})
afterAll(() => portal.stop())

const serve = (path: string, headers: Record<string, string> = {}) => assets.serve(path, new Headers(headers))

describe('the page', () => {
  test('is one for all paths, and names its files', async () => {
    for (const path of ['/portal', '/portal/', '/portal/deployments/x', '/portal/%2e%2e/assets/']) {
      const text = await serve(path).text()
      expect(text).toContain(`<script type="module" src="/portal/assets/${script}"></script>`)
      expect(text).toContain(`href="/portal/assets/${style}"`)
      expect(text).toContain('<link rel="modulepreload" href="/portal/assets/chunk-abc.js">')
    }
  })

  test('lets nothing in but what the server itself sends, and is in nobody else’s frame', () => {
    const { headers } = serve('/portal/')
    const policy = new Map(
      (headers.get('content-security-policy') as string).split('; ').map((rule) => {
        const [name = '', ...values] = rule.split(' ')
        return [name, values.join(' ')]
      }),
    )
    expect(policy.get('style-src')).toMatch(/^'self' 'nonce-[A-Za-z0-9+/]{22}=='$/)
    policy.delete('style-src')
    expect(Object.fromEntries(policy)).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
    })
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
  })

  test('has another nonce each time, that of its policy', async () => {
    const pages = [serve('/portal/'), serve('/portal/')]
    const nonces = pages.map(({ headers }) => /'nonce-([^']+)'/.exec(headers.get('content-security-policy') ?? '')?.[1])
    expect(nonces[0]).not.toBe(nonces[1])
    expect(await pages[0]?.text()).toContain(`nonce="${nonces[0]}"`)
  })
})

describe('a file', () => {
  test.each<[string, string | null]>([
    ['br, gzip', 'br'],
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.0, gzip;q=0', null],
    ['BR', 'br'],
    ['', null],
    ['zstd', null],
  ])('for who takes %p comes as %p', async (accepted, encoding) => {
    const answer = serve(`/portal/assets/${script}`, { 'accept-encoding': accepted })
    expect(answer.headers.get('content-encoding')).toBe(encoding)
    expect(answer.headers.get('vary')).toBe('accept-encoding')
    const bytes = new Uint8Array(await answer.arrayBuffer())
    const text = encoding === 'br' ? brotliDecompressSync(bytes) : encoding === 'gzip' ? gunzipSync(bytes) : bytes
    expect(new TextDecoder().decode(text)).toBe('run()')
  })

  test('is kept for good and is nothing but what it says it is', () => {
    const types = { [script]: 'text/javascript', [style]: 'text/css', 'icon.svg': 'image/svg+xml' }
    for (const [name, type] of Object.entries(types)) {
      const { headers } = serve(`/portal/assets/${name}`)
      expect(headers.get('content-type')).toStartWith(type)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
    expect(serve(`/portal/assets/${script}`).headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  })

  test.each([
    'manifest.json',
    'unlisted.js',
    'nothing.js',
    '',
    '../management.key',
    '%2e%2e%2fmanagement.key',
    '..%2fmanagement.key',
    '..\\management.key',
    './main-abc.js',
    'main-abc.js/',
    'main-abc.js.br',
    '/etc/passwd',
    'constructor',
    'main-abc.js\0',
  ])('%p is none', (name) => {
    expect(() => serve(`/portal/assets/${name}`)).toThrow(Fault)
    try {
      serve(`/portal/assets/${name}`)
    } catch (error) {
      expect((error as Fault).code).toBe('not-found')
    }
  })
})
