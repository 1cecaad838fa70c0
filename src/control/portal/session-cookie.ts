import { sessionMs } from './sessions.ts'

/**
 * The cookie of a session. Its name has the port in it: browsers give the cookies of a host to all its ports, and two servers on one machine
 * would sign each other's people out.
 */

const maxAgeS = sessionMs / 1000

/** Over HTTPS the prefix makes the browser itself see to it that no other host and no plain HTTP has set it. */
function nameCookie(host: string | null, isSecure: boolean): string {
  const port = /:(\d+)$/.exec(host ?? '')?.[1] ?? (isSecure ? '443' : '80')
  return `${isSecure ? '__Host-' : ''}ponto-session-${port}`
}

/** The secret of the session that a request brings, '' without one. */
export function readSessionCookie(headers: Headers): string {
  const host = headers.get('host')
  const names = [nameCookie(host, true), nameCookie(host, false)]
  for (const pair of (headers.get('cookie') ?? '').split(';')) {
    const [name = '', value = ''] = pair.trim().split('=')
    if (names.includes(name) && value !== '') return value
  }
  return ''
}

/** `Set-Cookie` for a session; '' as its secret ends it. `origin` is that of the page, which knows whether it came over HTTPS. */
export function writeSessionCookie(headers: Headers, token: string): string {
  const isSecure = (headers.get('origin') ?? '').startsWith('https:')
  const name = nameCookie(headers.get('host'), isSecure)
  const age = token === '' ? 0 : maxAgeS
  return `${name}=${token}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}
