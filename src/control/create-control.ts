import { serverScope } from '../core/access/principal.ts'
import { Fault, toFault } from '../core/fault.ts'
import { ownResource, type ResourceId } from '../core/resource.ts'
import { randomHex } from '../core/text/id.ts'
import { authorizeAction } from '../policy/access/authorize.ts'
import { type Answer, writeAnswer } from './http/answer.ts'
import { describeFault } from './http/errors.ts'
import { judgeBody } from './http/read-body.ts'
import {
  type ControlRoute,
  decodeSegment,
  type Forward,
  type Matched,
  matchRoutes,
  pathOfSubject,
  scopeOf,
  type Visit,
} from './http/route.ts'
import { type AuthenticateOptions, createGate } from './identity/authenticate.ts'
import { listIdentityRoutes } from './identity/routes.ts'
import { judgeSecrets } from './identity/secret-right.ts'
import type { ServicePrincipalsOptions } from './identity/service-principals.ts'
import { type AuditOptions, createAuditor, isTold } from './observe/audit/auditor.ts'
import { listPortalRoutes } from './portal/routes.ts'
import { requireConfirmed } from './portal/session-door.ts'
import type { Sessions } from './portal/sessions.ts'
import type { Accounts } from './resources/accounts.ts'
import { listResourceRoutes, refuseUnknown } from './resources/resources.ts'
import { listRoutes, type RoutesOptions } from './routes.ts'

export type ControlOptions = AuthenticateOptions &
  AuditOptions & {
    readonly accounts: Accounts
    readonly identity: ServicePrincipalsOptions
    /** Of the portal; without them no links to it are made. */
    readonly sessions?: Sessions | undefined
    /** Told of every refusal and failure, for the log. */
    onFault(fault: Fault, requestId: string): void
  }

const root = '/management'

type Place = {
  readonly routes: readonly ControlRoute[]
  /** Below the prefix, which is what names the resource. */
  readonly path: string
  readonly prefix: string
  /** Where actions must be allowed; undefined: on the server. */
  readonly resource: ResourceId | undefined
}

/**
 * The management API (api.ts says what it is): answers any request whose path begins with `/management`. `readAddress` gives the
 * address that it comes from. Never rejects.
 */
export function createControl(
  options: ControlOptions,
): (request: Request, readAddress: () => string) => Promise<Response> {
  const gate = createGate(options)
  const auditor = createAuditor(options)
  const { accounts } = options
  const own = accounts.own()
  const ofServer = [
    ...listRoutes(own.routes),
    ...listIdentityRoutes(options.identity),
    ...listPortalRoutes(options.sessions),
    ...listResourceRoutes(accounts),
  ]
  /** Those of other resources, made once for each. */
  const ofOthers = new WeakMap<RoutesOptions, readonly ControlRoute[]>()

  /** What a path is of. Throws Fault `not-found` for something in a resource that there is not. */
  function locate(path: string): Place {
    const [, first, segment = '', ...rest] = path.split('/')
    if (first !== 'resources' || segment === '') return { routes: ofServer, path, prefix: '', resource: ownResource }
    const name = decodeSegment(segment)
    const account = accounts.find(name)
    // The resource itself is judged as what it is of, and what is yet to be made as something of the server.
    if (rest.length === 0) return { routes: ofServer, path, prefix: '', resource: account?.id }
    if (!account) return refuseUnknown(accounts, name)
    const routes = ofOthers.get(account.routes) ?? listRoutes(account.routes)
    ofOthers.set(account.routes, routes)
    return { routes, path: `/${rest.join('/')}`, prefix: `/resources/${segment}`, resource: account.id }
  }

  async function answer(request: Request, requestId: string, readAddress: () => string): Promise<Answer> {
    gate.checkHost(request.headers)
    gate.checkAddress(readAddress)
    const { pathname } = new URL(request.url)
    const path = pathname.slice(root.length)
    // A preflight brings no credential. It gets what every other method gets that is not there, and no leave to go on.
    if (request.method === 'OPTIONS') return refuseMethod(request.method, requireMatch(locate(path)))
    const principal = await gate.authenticate(request.headers, request.method)
    return run(request, path, { principal, address: readAddress(), requestId })
  }

  async function run(request: Request, path: string, caller: Omit<Visit, 'params' | 'forward'>): Promise<Answer> {
    const place = locate(path)
    const matched = requireMatch(place)
    const match = matched.find(({ route }) => route.method === request.method)
    if (!match) return refuseMethod(request.method, matched)
    const { route, params } = match
    const { name = '', item = '' } = params
    const forward: Forward = (method, target, body) => {
      const url = new URL(root + place.prefix + target, request.url)
      const headers = { 'content-type': 'application/json' }
      const init = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) }
      return run(new Request(url, init), url.pathname.slice(root.length), caller)
    }
    const visit: Visit = { ...caller, params, forward }
    const handle = async () => {
      requireConfirmed(caller.principal, route.action, options.now())
      authorizeAction(
        caller.principal,
        route.action,
        place.resource === undefined ? serverScope : scopeOf(route, params, place.resource),
      )
      judgeBody(request, (document) => judgeSecrets(caller.principal, document))
      return route.handle(request, name, item, visit)
    }
    if (!isTold(route.action)) return handle()
    const reading = findReading(route, place.routes)
    const look = reading && (() => reading.handle(new Request(request.url), name, item, visit))
    return auditor.record({ action: route.action, request, visit, look, handle })
  }

  return async (request, readAddress) => {
    const requestId = randomHex()
    try {
      return writeAnswer(await answer(request, requestId, readAddress))
    } catch (error) {
      const fault = toFault(error)
      options.onFault(fault, requestId)
      const refusal = describeFault(fault, requestId)
      return writeAnswer({ ...refusal, headers: { 'x-request-id': requestId, ...challenge(fault) } })
    }
  }
}

/** What shows the thing that a change is about: at the same path, or for a verb (`/deployments/{name}/pause`) above it. */
function findReading({ method, path }: ControlRoute, routes: readonly ControlRoute[]): ControlRoute | undefined {
  const find = (shown: string | undefined) => routes.find((route) => route.method === 'GET' && route.path === shown)
  if (method !== 'POST') return find(path)
  // What adds to a list is no verb on one thing.
  return find(path) ? undefined : find(pathOfSubject(path))
}

const methods: readonly ControlRoute['method'][] = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']

/** Throws Fault `not-found` where nothing is. */
function requireMatch({ routes, path, prefix }: Place): readonly Matched[] {
  const matched = matchRoutes(routes, path)
  if (matched.length === 0) throw new Fault('not-found', `There is nothing at ${root}${prefix}${path}.`)
  return matched
}

function refuseMethod(method: string, matched: readonly Matched[]): Answer {
  const allowed = methods.filter((one) => matched.some(({ route }) => route.method === one)).join(', ')
  const fault = new Fault('method-not-allowed', `${method} is not possible here, only ${allowed}.`)
  return { ...describeFault(fault, ''), headers: { allow: allowed } }
}

function challenge(fault: Fault): Record<string, string> {
  return fault.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}
}
