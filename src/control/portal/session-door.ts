import type { Principal } from '../../core/access/principal.ts'
import { Fault } from '../../core/fault.ts'
import { readSessionCookie } from './session-cookie.ts'
import type { Session, Sessions } from './sessions.ts'

/** What every request of the portal brings. A page of another origin cannot set it without a preflight, and those are refused. */
export const portalHeader = 'x-ponto-portal'

/** Actions whose answers hold a secret, or which make one that lasts. */
const secretPattern =
  /\/(listKeys|regenerateKey|rotate|token)\/action$|\/(namedKeys|servicePrincipals|roleAssignments)\/write$/

export function findSession(sessions: Sessions, headers: Headers): Session | undefined {
  const token = readSessionCookie(headers)
  return token === '' ? undefined : sessions.find(token)
}

/** The session that a request brings. Throws Fault `unauthorized` without one, `forbidden` where its page may be somebody else's. */
export function requireSession(sessions: Sessions, headers: Headers, method: string): Session {
  const session = findSession(sessions, headers)
  if (!session) throw new Fault('unauthorized', 'The session has ended. Sign in again.', { vendorCode: 'SessionEnded' })
  requireOwnPage(headers, method)
  return session
}

/**
 * Who is signed in, undefined where the request brings no session. The cookie alone opens nothing: browsers send it with whatever
 * some page makes them send. Throws as `requireSession`.
 */
export function createSessionDoor(sessions: Sessions): (headers: Headers, method: string) => Principal | undefined {
  return (headers, method) =>
    readSessionCookie(headers) === '' ? undefined : requireSession(sessions, headers, method).principal
}

/** That an `Origin` is the server's own is judged before. Throws Fault `forbidden`. */
export function requireOwnPage(headers: Headers, method: string): void {
  const site = headers.get('sec-fetch-site')
  const isFromHere = site === null || site === 'same-origin'
  const hasOrigin = method === 'GET' || headers.has('origin')
  if (headers.has(portalHeader) && isFromHere && hasOrigin) return
  throw new Fault(
    'forbidden',
    `A session answers the portal's own pages only: requests with the header ${portalHeader}, and an Origin where they change something.`,
  )
}

/** Throws Fault `forbidden` for an action about secrets of somebody whose last confirmation is too long ago. */
export function requireConfirmed({ secretsUntil }: Principal, action: string, now: number): void {
  if (secretsUntil === undefined || now < secretsUntil || !secretPattern.test(action)) return
  throw new Fault(
    'forbidden',
    'Show once more who you are: secrets are shown and made only within five minutes of that.',
    {
      vendorCode: 'ConfirmationRequired',
    },
  )
}
