import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type ControlFixture, credential, errorOf, remote, resourceKey, startControl } from '../control.fixture.ts'
import type { PortalLinkView } from './api.ts'
import { confirmationMs, createSessions, sessionMs } from './sessions.ts'

let at = 1_000_000
const sessions = createSessions(() => at)
let control: ControlFixture
beforeAll(async () => {
  control = await startControl({ now: () => at }, sessions)
})
afterAll(() => control.stop())

let cookie: string
let token: string
beforeEach(() => {
  token = sessions.open().token
  cookie = `ponto-session-${new URL(control.base).port}=${token}`
})

/** As a page of the portal asks, unless `headers` say otherwise. */
function ask(method: string, path: string, headers: Record<string, string> = {}, body?: unknown) {
  const origin: Record<string, string> = method === 'GET' ? {} : { origin: control.base }
  return control.send(method, path, {
    headers: { authorization: '', 'x-ponto-portal': '1', cookie, ...origin, ...headers },
    ...(body !== undefined && { body }),
  })
}

describe('a session in management', () => {
  test('reads and changes, in the name of the portal', async () => {
    expect((await ask('GET', '/deployments')).status).toBe(200)
    expect((await ask('PUT', '/deployments/by-portal', {}, remote())).status).toBe(201)
    const [entry] = await control.tables.audit.list({ limit: 1 })
    expect(entry).toMatchObject({
      action: 'accounts/deployments/write',
      actorKind: 'operator',
      actorName: 'the portal',
    })
  })

  test('opens nothing without what only the portal’s own page sends', async () => {
    const foreign: [string, string, Record<string, string>][] = [
      ['GET', '/deployments', { 'x-ponto-portal': '' }],
      ['GET', '/deployments', { 'sec-fetch-site': 'cross-site' }],
      ['GET', '/deployments', { 'sec-fetch-site': 'same-site' }],
      ['GET', '/deployments', { origin: 'https://evil.example' }],
      ['DELETE', '/deployments/by-portal', { origin: 'https://evil.example' }],
      ['DELETE', '/deployments/by-portal', { origin: 'null' }],
      ['DELETE', '/deployments/by-portal', { 'sec-fetch-site': 'none' }],
    ]
    for (const [method, path, headers] of foreign) {
      const sent = { authorization: '', cookie, 'x-ponto-portal': '1', origin: control.base, ...headers }
      if (sent['x-ponto-portal'] === '') delete (sent as Record<string, string>)['x-ponto-portal']
      const answer = await control.send(method, path, { headers: sent })
      expect([answer.status, errorOf(answer).code]).toEqual([403, 'Forbidden'])
    }
    const withoutOrigin = { authorization: '', cookie, 'x-ponto-portal': '1' }
    expect((await control.send('DELETE', '/deployments/by-portal', { headers: withoutOrigin })).status).toBe(403)
    expect((await ask('GET', '/deployments/by-portal')).status).toBe(200)
  })

  test('ends when it is revoked, and by itself', async () => {
    sessions.close(token)
    const revoked = await ask('GET', '/deployments')
    expect([revoked.status, errorOf(revoked).code]).toEqual([401, 'SessionEnded'])
    token = sessions.open().token
    cookie = `ponto-session-${new URL(control.base).port}=${token}`
    at += sessionMs
    expect(errorOf(await ask('GET', '/deployments')).code).toBe('SessionEnded')
  })

  test('that has ended takes nothing from whoever presents the credential', async () => {
    sessions.close(token)
    expect((await ask('GET', '/deployments', { authorization: `Bearer ${credential}` })).status).toBe(200)
    expect((await ask('GET', '/deployments', { authorization: `Bearer ${resourceKey}` })).status).toBe(403)
  })
})

const secretRoutes: [string, string, unknown?][] = [
  ['GET', '/keys'],
  ['POST', '/keys/key1/regenerate'],
  ['PUT', '/named-keys/mine', {}],
  ['POST', '/named-keys/mine/rotate'],
  ['PUT', '/service-principals/robot', {}],
  ['PUT', '/role-assignments/one', { role: 'Owner' }],
]

describe('secrets', () => {
  test('are shown and made only soon after somebody has shown who they are', async () => {
    at += confirmationMs
    for (const [method, path, body] of secretRoutes) {
      const answer = await ask(method, path, {}, body)
      expect([path, answer.status, errorOf(answer).code]).toEqual([path, 403, 'ConfirmationRequired'])
      expect(answer.text).not.toContain(resourceKey)
    }
    expect((await ask('GET', '/deployments')).status).toBe(200)
    sessions.confirm(token)
    const shown = await ask('GET', '/keys')
    expect([shown.status, shown.text.includes(resourceKey)]).toEqual([200, true])
    expect(shown.headers.get('cache-control')).toBe('no-store')
  })

  test('that are shown are told to the audit log, refusals too', async () => {
    await ask('GET', '/keys')
    at += confirmationMs
    await ask('GET', '/keys')
    const rows = await control.tables.audit.list({ limit: 2 })
    expect(rows.map(({ action, status, code, after }) => [action, status, code, after])).toEqual([
      ['accounts/listKeys/action', 403, 'ConfirmationRequired', undefined],
      ['accounts/listKeys/action', 200, undefined, undefined],
    ])
  })

  test('need no confirmation of whoever presents the credential each time', async () => {
    expect((await control.send('GET', '/keys')).status).toBe(200)
  })
})

describe('links', () => {
  test('are made with the management credential', async () => {
    const answer = await control.send('POST', '/portal/token')
    expect(answer.status).toBe(201)
    const { secret, expiresAt } = answer.json<PortalLinkView>()
    expect(new Date(expiresAt).getTime()).toBe(at + 10 * 60 * 1000)
    expect(sessions.redeemLink(secret)).toBe(true)
    const [entry] = await control.tables.audit.list({ limit: 1 })
    expect(entry).toMatchObject({ action: 'portal/token/action', status: 201 })
    expect(JSON.stringify(entry)).not.toContain(secret)
  })

  test('are not made by a session, which would renew itself, nor with a key', async () => {
    expect((await ask('POST', '/portal/token')).status).toBe(403)
    at += confirmationMs
    expect((await ask('POST', '/portal/token')).status).toBe(403)
    const withKey = { headers: { authorization: `Bearer ${resourceKey}` } }
    expect((await control.send('POST', '/portal/token', withKey)).status).toBe(403)
  })
})
