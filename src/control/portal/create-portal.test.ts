import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { SessionView } from './api.ts'
import {
  type AskOptions,
  codeOf,
  credential,
  type PortalFixture,
  readCookie,
  resourceKey,
  startPortal,
} from './portal.fixture.ts'

let portal: PortalFixture
beforeEach(() => {
  portal = startPortal()
})
afterEach(() => {
  // No answer tells a secret, whatever was asked.
  for (const answer of portal.answers) {
    expect(answer).not.toContain(credential)
    expect(answer).not.toContain(resourceKey)
  }
  portal.stop()
})

const ask: PortalFixture['ask'] = (...asked) => portal.ask(...asked)
const signIn = (body: unknown, options: AskOptions = {}) => ask('POST', '/portal/session', { ...options, body })
const isSignedIn = async (cookie: string) =>
  (await ask('GET', '/portal/session', { headers: { cookie } })).status === 200

describe('signing in', () => {
  test('with the management credential opens a session that says until when', async () => {
    const answer = await signIn({ credential: ` ${credential}\n` })
    expect(answer.status).toBe(201)
    expect(answer.body as SessionView).toEqual({
      name: 'the management credential',
      expiresAt: new Date(1_000_000 + 12 * 3_600_000).toISOString(),
      confirmedUntil: new Date(1_000_000 + 5 * 60_000).toISOString(),
      version: '0.1.0',
      hasLocalAuthority: true,
    })
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-ponto-session-8443=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/,
    )
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.text).not.toContain(readCookie(answer.headers).split('=')[1] as string)
    expect(await isSignedIn(readCookie(answer.headers))).toBe(true)
  })

  test('with a link works once', async () => {
    const { code } = portal.sessions.issueLink()
    expect((await signIn({ code })).status).toBe(201)
    const again = await signIn({ code })
    expect([again.status, codeOf(again), again.headers.get('set-cookie')]).toEqual([401, 'LinkSpent', null])
    expect(again.text).toContain('ponto portal')
  })

  test('with a link of more than ten minutes does not', async () => {
    const { code } = portal.sessions.issueLink()
    portal.pass(10 * 60 * 1000)
    expect(codeOf(await signIn({ code }))).toBe('LinkSpent')
  })

  test.each<[string, unknown, number, string]>([
    ['another credential', { credential: 'wrong' }, 401, 'Unauthorized'],
    ['a longer credential', { credential: `${credential}x` }, 401, 'Unauthorized'],
    ['a resource key', { credential: resourceKey }, 403, 'Forbidden'],
    ['a named key, which is no key of the resource', { credential: 'named-key' }, 401, 'Unauthorized'],
    ['a token', { credential: 'eyJhbGciOiJub25lIn0.e30.' }, 403, 'Forbidden'],
    ['two words', { credential: `${credential} x` }, 401, 'Unauthorized'],
    ['what is no header', { credential: 'ä\r\nx: y' }, 401, 'Unauthorized'],
    ['an empty credential', { credential: '' }, 401, 'Unauthorized'],
    ['the credential as a code', { code: credential }, 401, 'LinkSpent'],
    ['a number', { credential: 7 }, 400, 'InvalidRequest'],
    ['nothing', {}, 400, 'InvalidRequest'],
    ['a list', [], 400, 'InvalidJson'],
    ['a long text', { credential: 'x'.repeat(5000) }, 413, 'RequestTooLarge'],
  ])('%s opens nothing', async (_what, body, status, code) => {
    const answer = await signIn(body)
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
    expect(answer.headers.get('set-cookie')).toBeNull()
  })

  test.each<[string, Record<string, string | undefined>]>([
    ['a form of another site', { origin: 'https://evil.example', 'x-ponto-portal': undefined }],
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page of another port', { origin: 'https://localhost:1' }],
    ['a sandboxed page', { origin: 'null' }],
    ['a page that is found under another name', { host: 'evil.example', origin: 'https://evil.example' }],
    ['a sister site', { 'sec-fetch-site': 'same-site' }],
    ['no Origin', { origin: undefined }],
    ['no header of the portal', { 'x-ponto-portal': undefined }],
  ])('from %s is refused, and spends no link', async (_where, headers) => {
    const { code } = portal.sessions.issueLink()
    const refused = await signIn({ code }, { headers })
    expect([refused.status, refused.headers.get('set-cookie')]).toEqual([403, null])
    expect([...refused.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    expect((await signIn({ code })).status).toBe(201)
  })

  test('from an address that management is not open to is refused, as every page is', async () => {
    expect((await signIn({ credential }, { address: '203.0.113.9' })).status).toBe(403)
    expect((await ask('GET', '/portal/', { address: '203.0.113.9' })).status).toBe(403)
  })

  test('is tried a limited number of times, also at once, and by others as before', async () => {
    const tries = await Promise.all(Array.from({ length: 40 }, () => signIn({ credential: 'wrong' })))
    const counts = [401, 429].map((status) => tries.filter((one) => one.status === status).length)
    expect(counts).toEqual([20, 20])
    const right = await signIn({ credential })
    expect(right.status).toBe(429)
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await signIn({ credential }, { address: '198.51.100.1' })).status).toBe(201)
    portal.pass(60_000)
    expect((await signIn({ credential })).status).toBe(201)
  })

  test('is told to the audit log, also where it fails, and without what was presented', async () => {
    await signIn({ credential: 'wrong-credential' })
    await signIn({ credential })
    const { code } = portal.sessions.issueLink()
    await signIn({ code })
    expect(portal.audited.map(({ action, status, code, address }) => [action, status, code, address])).toEqual([
      ['portal/signIn/action', 401, 'Unauthorized', '127.0.0.1'],
      ['portal/signIn/action', 201, undefined, '127.0.0.1'],
      ['portal/signIn/action', 201, undefined, '127.0.0.1'],
    ])
    for (const secret of ['wrong-credential', credential, code]) {
      expect(JSON.stringify(portal.audited)).not.toContain(secret)
      expect(portal.faults.map(({ message }) => message).join()).not.toContain(secret)
    }
  })
})

describe('a session', () => {
  test('is ended by signing out, on the server too', async () => {
    const [cookie, other] = [await portal.signIn(), await portal.signIn()]
    const ended = await ask('DELETE', '/portal/session', { headers: { cookie } })
    expect(ended.status).toBe(204)
    expect(ended.headers.get('set-cookie')).toContain('__Host-ponto-session-8443=; Path=/; Max-Age=0')
    expect([await isSignedIn(cookie), await isSignedIn(other)]).toEqual([false, true])
  })

  test('is revoked with all others, and with the links', async () => {
    const [cookie, other] = [await portal.signIn(), await portal.signIn()]
    const { code } = portal.sessions.issueLink()
    expect((await ask('DELETE', '/portal/sessions', { headers: { cookie } })).status).toBe(204)
    expect([await isSignedIn(cookie), await isSignedIn(other)]).toEqual([false, false])
    expect(codeOf(await signIn({ code }))).toBe('LinkSpent')
  })

  test('ends after twelve hours', async () => {
    const cookie = await portal.signIn()
    portal.pass(12 * 3_600_000)
    const answer = await ask('GET', '/portal/session', { headers: { cookie } })
    expect([answer.status, codeOf(answer)]).toEqual([401, 'SessionEnded'])
  })

  test('that nobody has is none', async () => {
    for (const cookie of ['', 'x', '__Host-ponto-session-8443=guess', `__Host-ponto-session-8443=${credential}`]) {
      for (const [method, path] of [
        ['GET', '/portal/session'],
        ['DELETE', '/portal/session'],
        ['DELETE', '/portal/sessions'],
        ['POST', '/portal/chat'],
      ] as const) {
        const answer = await ask(method, path, { headers: { cookie } })
        expect([answer.status, codeOf(answer)]).toEqual([401, 'SessionEnded'])
      }
    }
    expect(portal.chats).toEqual([])
  })

  test('is changed by its own page only', async () => {
    const cookie = await portal.signIn()
    const foreign: Record<string, string | undefined>[] = [
      { 'x-ponto-portal': undefined },
      { origin: undefined },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ]
    for (const headers of foreign) {
      for (const [method, path] of [
        ['DELETE', '/portal/session'],
        ['DELETE', '/portal/sessions'],
        ['POST', '/portal/chat'],
        ['POST', '/portal/session/confirm'],
      ] as const) {
        expect((await ask(method, path, { headers: { cookie, ...headers } })).status).toBe(403)
      }
    }
    expect(portal.chats).toEqual([])
    expect(await isSignedIn(cookie)).toBe(true)
  })

  test('is confirmed by who signs in anew, and stays the same session', async () => {
    const cookie = await portal.signIn()
    portal.pass(3_600_000)
    const confirm = (body: unknown) => ask('POST', '/portal/session/confirm', { headers: { cookie }, body })
    expect((await confirm({ credential: 'wrong' })).status).toBe(401)
    expect((await confirm({ credential: resourceKey })).status).toBe(403)
    const confirmed = await confirm({ credential })
    expect(confirmed.body).toMatchObject({
      expiresAt: new Date(1_000_000 + 12 * 3_600_000).toISOString(),
      confirmedUntil: new Date(1_000_000 + 3_600_000 + 5 * 60_000).toISOString(),
    })
    expect(portal.audited.at(-1)).toMatchObject({ action: 'portal/confirm/action', status: 200 })
  })

  test('is needed to confirm it, so that no link is spent without', async () => {
    const { code } = portal.sessions.issueLink()
    expect((await ask('POST', '/portal/session/confirm', { body: { code } })).status).toBe(401)
    expect(portal.sessions.redeemLink(code)).toBe(true)
  })

  test('chats through the data plane', async () => {
    const cookie = await portal.signIn()
    const body = { model: 'm' }
    const answer = await ask('POST', '/portal/chat', { headers: { cookie }, body })
    expect([answer.status, answer.text]).toEqual([200, 'told'])
    expect(await portal.chats[0]?.json()).toEqual(body)
  })
})

describe('what is there for everybody', () => {
  test('pages and files, read only', async () => {
    expect((await ask('GET', '/portal/')).headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect((await ask('GET', '/portal/assets/main-abc.js')).text).toBe('run()')
    expect((await ask('GET', '/portal/assets/../../management.key')).text).not.toContain('beside')
    expect((await ask('GET', '/portal/assets/%2e%2e%2fmanagement.key')).status).toBe(404)
    expect((await ask('POST', '/portal/')).status).toBe(405)
    expect((await ask('PUT', '/portal/session')).status).toBe(405)
  })

  test('nothing under a name that is not the server’s', async () => {
    for (const path of ['/portal/', '/portal/session', '/portal/assets/main-abc.js', '/portal/authority.pem']) {
      expect((await ask('GET', path, { headers: { host: 'evil.example' } })).status).toBe(403)
    }
  })

  test('the certificate of the local authority, where there is one', async () => {
    const found = await ask('GET', '/portal/authority.pem')
    expect([found.text, found.headers.get('x-content-type-options')]).toEqual(['PEM', 'nosniff'])
    const other = startPortal({ authority: undefined })
    expect((await other.ask('GET', '/portal/authority.pem')).status).toBe(404)
    other.stop()
  })
})
