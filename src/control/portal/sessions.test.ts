import { expect, test } from 'bun:test'
import { readSessionCookie, writeSessionCookie } from './session-cookie.ts'
import { createSessionDoor, requireConfirmed } from './session-door.ts'
import { confirmationMs, createSessions, linkMs, sessionMs } from './sessions.ts'

const host = 'localhost:8443'

function open(): { sessions: ReturnType<typeof createSessions>; later(ms: number): void } {
  let now = 1_000_000
  return {
    sessions: createSessions(() => now),
    later(ms) {
      now += ms
    },
  }
}

test('a link signs in once, and not after ten minutes', () => {
  const { sessions, later } = open()
  const { code } = sessions.issueLink()
  expect(sessions.redeemLink(`${code}x`)).toBeFalse()
  expect(sessions.redeemLink(code)).toBeTrue()
  expect(sessions.redeemLink(code)).toBeFalse()
  const late = sessions.issueLink().code
  later(linkMs)
  expect(sessions.redeemLink(late)).toBeFalse()
})

test('a session ends after its time, when it is closed, and with all others', () => {
  const { sessions, later } = open()
  const [one, other, third] = [sessions.open().token, sessions.open().token, sessions.open().token]
  expect(sessions.find(one)?.principal.kind).toBe('operator')
  expect(sessions.find('')).toBeUndefined()
  sessions.close(one)
  expect(sessions.find(one)).toBeUndefined()
  expect(sessions.find(other)).toBeDefined()
  const { code } = sessions.issueLink()
  sessions.closeAll()
  expect(sessions.find(other)).toBeUndefined()
  expect(sessions.redeemLink(code)).toBeFalse()
  expect(sessions.confirm(third)).toBeUndefined()
  const last = sessions.open().token
  later(sessionMs)
  expect(sessions.find(last)).toBeUndefined()
})

test('a confirmation holds for five minutes, and makes no session longer', () => {
  const { sessions, later } = open()
  const { token, session } = sessions.open()
  later(confirmationMs)
  const now = session.confirmedUntil
  const principal = sessions.find(token)?.principal as NonNullable<ReturnType<typeof sessions.find>>['principal']
  for (const action of ['accounts/listKeys/action', 'accounts/namedKeys/write', 'x/servicePrincipals/token/action']) {
    expect(() => requireConfirmed(principal, action, now)).toThrow('Show once more who you are')
  }
  requireConfirmed(principal, 'accounts/deployments/write', now)
  const confirmed = sessions.confirm(token)
  expect(confirmed?.expiresAt).toBe(session.expiresAt)
  if (confirmed) requireConfirmed(confirmed.principal, 'accounts/listKeys/action', now)
})

test('the cookie is for one port, and never for scripts or other sites', () => {
  const secure = new Headers({ host, origin: `https://${host}` })
  const cookie = writeSessionCookie(secure, 'TOKEN')
  expect(cookie).toBe('__Host-ponto-session-8443=TOKEN; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure')
  const plain = writeSessionCookie(new Headers({ host: 'localhost:8080', origin: 'http://localhost:8080' }), 'TOKEN')
  expect(plain).toBe('ponto-session-8080=TOKEN; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict')
  expect(readSessionCookie(new Headers({ host, cookie: 'a=b; __Host-ponto-session-8443=TOKEN' }))).toBe('TOKEN')
  expect(readSessionCookie(new Headers({ host, cookie: 'ponto-session-8080=TOKEN' }))).toBe('')
})

test('a cookie alone opens nothing', () => {
  const { sessions } = open()
  const { token } = sessions.open()
  const findVisitor = createSessionDoor(sessions)
  const cookie = `__Host-ponto-session-8443=${token}`
  const own = { host, cookie, 'x-ponto-portal': '1' }
  expect(findVisitor(new Headers({ host }), 'GET')).toBeUndefined()
  expect(findVisitor(new Headers(own), 'GET')?.name).toBe('the portal')
  expect(findVisitor(new Headers({ ...own, origin: `https://${host}` }), 'POST')?.name).toBe('the portal')
  for (const [headers, method] of [
    [{ host, cookie }, 'GET'],
    [{ ...own, 'sec-fetch-site': 'same-site' }, 'GET'],
    [{ ...own, 'sec-fetch-site': 'cross-site' }, 'GET'],
    [own, 'POST'],
  ] as const) {
    expect(() => findVisitor(new Headers(headers), method)).toThrow('own pages only')
  }
  const stale = { ...own, cookie: '__Host-ponto-session-8443=other' }
  expect(() => findVisitor(new Headers(stale), 'GET')).toThrow('The session has ended')
})
