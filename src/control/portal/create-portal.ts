import { operator, type Principal } from '../../core/access/principal.ts'
import { Fault, toFault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { randomHex } from '../../core/text/id.ts'
import { type Answer, writeAnswer } from '../http/answer.ts'
import { describeFault } from '../http/errors.ts'
import { readJsonBody } from '../http/read-body.ts'
import type { Attempts } from '../identity/attempts.ts'
import { type AuthenticateOptions, createGate } from '../identity/authenticate.ts'
import { type AuditOptions, createAuditor } from '../observe/audit/auditor.ts'
import type { SessionView } from './api.ts'
import type { Assets } from './assets.ts'
import { readSessionCookie, writeSessionCookie } from './session-cookie.ts'
import { findSession, requireOwnPage, requireSession } from './session-door.ts'
import type { Session, Sessions } from './sessions.ts'

export type PortalOptions = AuthenticateOptions &
  AuditOptions & {
    readonly sessions: Sessions
    readonly attempts: Attempts
    readonly assets: Assets
    readonly version: string
    /** PEM of the local authority; undefined where the operator has a certificate of their own. */
    readAuthority(): string | undefined
    onFault(fault: Fault, requestId: string): void
  }

/** Asks the data plane in the name of somebody who is signed in. */
export type Chat = (request: Request) => Promise<Response>

/** Before anybody is known. */
const nobody: Principal = { kind: 'operator', id: '', name: 'somebody at the portal', issuer: undefined, roles: [] }

const maxSignInBytes = 4096

type Visit = { readonly request: Request; readonly requestId: string; readonly readAddress: () => string }

/** Answers every request below `/portal` (api.ts says what they are; all else are its pages). Never rejects. */
export function createPortal(
  options: PortalOptions,
): (request: Request, url: URL, readAddress: () => string, chat: Chat) => Promise<Response> {
  const gate = createGate(options)
  const auditor = createAuditor(options)
  const { sessions, attempts, assets } = options

  /** Throws unless the body holds the management credential or the code of a link; tells the audit log either way. */
  async function proveOperator(visit: Visit, action: string, handle: () => Answer): Promise<Answer> {
    const { request, requestId } = visit
    const address = visit.readAddress()
    requireOwnPage(request.headers, request.method)
    const presented = await readJsonBody(request, maxSignInBytes)
    // Counted before it is judged, with nothing to wait for in between: many at once would all be let in before the first has failed.
    attempts.check(address)
    attempts.noteFailure(address)
    return auditor.record({
      action,
      request,
      visit: { principal: nobody, address, requestId },
      look: undefined,
      async handle() {
        await judge(presented)
        attempts.forgive(address)
        return handle()
      },
    })
  }

  async function judge({ code, credential }: JsonObject): Promise<void> {
    if (typeof code === 'string') {
      if (sessions.redeemLink(code)) return
      throw new Fault(
        'unauthorized',
        'This link was used before, or is older than ten minutes. Make another: ponto portal',
        {
          vendorCode: 'LinkSpent',
        },
      )
    }
    if (typeof credential !== 'string') {
      throw new Fault(
        'invalid-request',
        'credential: missing, expected the management credential, or the code of a link',
      )
    }
    const presented = credential.trim()
    if (!/^[\x21-\x7e]+$/.test(presented)) {
      throw new Fault('unauthorized', 'The management credential is not the one of this server.')
    }
    const principal = await gate.authenticate(new Headers({ authorization: `Bearer ${presented}` }), 'POST')
    if (principal.kind === 'operator') return
    throw new Fault('forbidden', 'The portal is opened by the management credential or a link, not by a token.')
  }

  function view({ expiresAt, confirmedUntil }: Session): SessionView {
    return {
      name: operator.name,
      expiresAt: new Date(expiresAt).toISOString(),
      confirmedUntil: new Date(confirmedUntil).toISOString(),
      version: options.version,
      hasLocalAuthority: options.readAuthority() !== undefined,
    }
  }

  function signIn(visit: Visit): Promise<Answer> {
    return proveOperator(visit, 'portal/signIn/action', () => {
      const { token, session } = sessions.open()
      const cookie = writeSessionCookie(visit.request.headers, token)
      return { status: 201, body: view(session), headers: { 'set-cookie': cookie } }
    })
  }

  async function confirm(visit: Visit): Promise<Answer> {
    const { headers, method } = visit.request
    requireSession(sessions, headers, method)
    return proveOperator(visit, 'portal/confirm/action', () => {
      const session = sessions.confirm(readSessionCookie(headers))
      return session ? { status: 200, body: view(session) } : endSession(headers)
    })
  }

  function signOut({ request: { headers, method } }: Visit, isEverywhere: boolean): Answer {
    requireSession(sessions, headers, method)
    if (isEverywhere) sessions.closeAll()
    else sessions.close(readSessionCookie(headers))
    return endSession(headers)
  }

  async function answer(path: string, visit: Visit): Promise<Answer | undefined> {
    const { request } = visit
    switch (`${request.method} ${path}`) {
      case 'POST /portal/session':
        return signIn(visit)
      case 'POST /portal/session/confirm':
        return confirm(visit)
      case 'GET /portal/session': {
        const session = findSession(sessions, request.headers)
        if (session) return { status: 200, body: view(session) }
        throw new Fault('unauthorized', 'Nobody is signed in.', { vendorCode: 'SessionEnded' })
      }
      case 'DELETE /portal/session':
        return signOut(visit, false)
      case 'DELETE /portal/sessions':
        return signOut(visit, true)
      default:
        return undefined
    }
  }

  async function serve(path: string, visit: Visit, chat: Chat): Promise<Response> {
    const { request } = visit
    gate.checkHost(request.headers)
    gate.checkAddress(visit.readAddress)
    gate.checkOrigin(request.headers)
    const answered = await answer(path, visit)
    if (answered) return writeAnswer(answered)
    if (path === '/portal/chat' && request.method === 'POST') {
      requireSession(sessions, request.headers, request.method)
      return chat(request)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new Fault('method-not-allowed', `${request.method} is not possible here, only GET.`)
    }
    if (path === '/portal/authority.pem') return serveAuthority(options.readAuthority())
    return assets.serve(path, request.headers)
  }

  return async (request, url, readAddress, chat) => {
    const requestId = randomHex()
    try {
      return await serve(url.pathname, { request, requestId, readAddress }, chat)
    } catch (error) {
      const fault = toFault(error)
      options.onFault(fault, requestId)
      const wait = fault.detail.retryAfterMs
      const headers: Record<string, string> = {
        'x-request-id': requestId,
        ...(wait !== undefined && { 'retry-after': String(Math.ceil(wait / 1000)) }),
      }
      return writeAnswer({ ...describeFault(fault, requestId), headers })
    }
  }
}

function endSession(headers: Headers): Answer {
  return { status: 204, headers: { 'set-cookie': writeSessionCookie(headers, '') } }
}

function serveAuthority(pem: string | undefined): Response {
  if (pem === undefined) throw new Fault('not-found', 'The certificate of this server is not from a local authority.')
  return new Response(pem, {
    headers: {
      'content-type': 'application/x-pem-file',
      'content-disposition': 'attachment; filename="ponto-ca.pem"',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}
