import type { AccessScope } from '../../core/access/principal.ts'
import { serverScope } from '../../core/access/principal.ts'
import { Fault, toFault } from '../../core/fault.ts'
import { authorizeAction } from '../../policy/access/authorize.ts'
import { type Answer, writeAnswer } from '../http/answer.ts'
import { isDryRun } from '../http/dry-run.ts'
import { judgeBody } from '../http/read-body.ts'
import { pathOfSubject } from '../http/route.ts'
import { type AuthenticateOptions, createGate } from '../identity/authenticate.ts'
import { judgeSecrets } from '../identity/secret-right.ts'
import { type AuditOptions, createAuditor, isTold } from '../observe/audit/auditor.ts'
import { readApiVersion } from './http/api-versions.ts'
import {
  type ArmMethod,
  type ArmRoute,
  type ArmVisit,
  compileRoutes,
  hasVersions,
  type Matched,
  matchArmRoutes,
  provider,
} from './http/arm-route.ts'
import { describeArmFault } from './http/errors.ts'
import { createOperations, pathOfOperation } from './http/operations.ts'
import { type ArmRoutesOptions, listArmRoutes } from './routes.ts'

export type ArmOptions = ArmRoutesOptions &
  AuthenticateOptions &
  AuditOptions & {
    /** How long an answer waits for its work; see operations.ts. */
    readonly settleMs?: number
    /** Told of every refusal and failure, for the log. */
    onFault(fault: Fault, requestId: string): void
  }

export type Arm = {
  /** Every route that it answers, those of operations among them. */
  readonly routes: readonly ArmRoute[]
  /** Answers a request whose path `isArmPath`. `readAddress` gives the address that it comes from. Never rejects. */
  handle(request: Request, readAddress: () => string): Promise<Response>
}

/** Namespaces of providers have a dot; what other protocols have below `/providers` has none. */
const rootPattern = /^\/(subscriptions|tenants|providers(?=\/?$|\/[\w-]+\.))(\/|$)/i

/** Whether a path is one of the vendor's management API, which lies at the root of the host. */
export function isArmPath(path: string): boolean {
  return rootPattern.test(path)
}

/**
 * The management API in the vendor's shape (accounts, deployments, models, filters, and what tools ask around them), for the tools and
 * libraries that are made for it. It is another way to the same things that `/management` manages, judged by the same rules.
 */
export function createArm(options: ArmOptions): Arm {
  const { tenantId } = options
  const gate = createGate(options)
  const auditor = createAuditor(options)
  const operations = createOperations(options)
  const routes = [...listArmRoutes(options), ...operations.listRoutes(isThere)]
  const compiled = compileRoutes(routes)

  async function answer(request: Request, requestId: string, readAddress: () => string): Promise<Answer> {
    gate.checkHost(request.headers)
    gate.checkAddress(readAddress)
    // A preflight brings no credential. It gets what every other method gets that is not there, and no leave to go on.
    const principal =
      request.method === 'OPTIONS' ? undefined : await gate.authenticate(request.headers, request.method)
    const url = new URL(request.url)
    const matched = matchArmRoutes(compiled, url.pathname)
    if (matched.length === 0) throw refusePath(url.pathname)
    const match = matched.find(({ route }) => route.method === request.method)
    if (!match || !principal) throw refuseMethod(request.method, matched)
    const { params } = match
    checkSubscription(params.subscription)
    const apiVersion = readApiVersion(url, hasVersions(match.route))
    return perform(request, match, { principal, address: readAddress(), params, requestId, url, apiVersion })
  }

  function perform(request: Request, { route }: Matched, visit: ArmVisit): Promise<Answer> {
    const handle = async (): Promise<Answer> => {
      if (!operations.isOwn(visit)) authorizeAction(visit.principal, route.action, scopeOf(visit))
      judgeBody(request, (document) => judgeSecrets(visit.principal, document))
      return route.handle(request, visit)
    }
    if (!isTold(route.action)) return handle()
    const path = pathOfThing(route, visit.url.pathname)
    const look = path === undefined ? undefined : () => lookAt(path, visit)
    const work = () => auditor.record({ action: actionOf(route), request, visit, look, handle })
    return route.isLong && !isDryRun(request) ? operations.run(route, visit, work) : work()
  }

  /** What GET shows at a path, to this visitor. */
  async function lookAt(path: string, visit: ArmVisit): Promise<Answer> {
    const match = matchArmRoutes(compiled, path).find(({ route }) => route.method === 'GET')
    if (!match) throw refusePath(path)
    const asked = { ...visit, params: match.params, url: new URL(path, visit.url) }
    authorizeAction(visit.principal, match.route.action, scopeOf(asked))
    return match.route.handle(new Request(asked.url), asked)
  }

  async function isThere(path: string, visit: ArmVisit): Promise<boolean> {
    try {
      await lookAt(path, visit)
      return true
    } catch (error) {
      if (error instanceof Fault && error.code === 'not-found') return false
      throw error
    }
  }

  /** Where an action must be allowed: on the account or deployment that the path names, or an operation is about, else on the server. */
  function scopeOf({ params: given }: Pick<ArmVisit, 'params'>): AccessScope {
    const target = given.operation === undefined ? undefined : pathOfOperation(given.operation)
    const params = target === undefined ? given : (matchArmRoutes(compiled, target)[0]?.params ?? {})
    const account = params.account === undefined ? undefined : options.accounts.find(params.account)
    if (!account) return serverScope
    const { id: resource } = account
    const { deployment } = params
    return deployment === undefined ? { kind: 'resource', resource } : { kind: 'deployment', resource, deployment }
  }

  return {
    routes,
    async handle(request, readAddress) {
      const requestId = crypto.randomUUID()
      const headers = describeRequest(request, requestId)
      try {
        const answered = await answer(request, requestId, readAddress)
        return writeAnswer({ ...answered, headers: { ...headers, ...answered.headers } })
      } catch (error) {
        const fault = toFault(error)
        options.onFault(fault, requestId)
        const refusal = describeArmFault(fault, requestId)
        return writeAnswer({ ...refusal, headers: { ...headers, ...challenge(fault, request, tenantId) } })
      }
    },
  }
}

/** What clients write down of an answer, to ask about it later. */
function describeRequest({ headers }: Request, requestId: string): Record<string, string> {
  const own = headers.get('x-ms-client-request-id') ?? ''
  const isWanted = headers.get('x-ms-return-client-request-id')?.toLowerCase() === 'true'
  return {
    'x-ms-request-id': requestId,
    'x-ms-correlation-request-id': requestId,
    ...(isWanted && /^[\w-]{1,64}$/.test(own) && { 'x-ms-client-request-id': own }),
  }
}

/** Names where tokens come from, which tools read that are not told. */
function challenge(fault: Fault, { url }: Request, tenantId: string): Record<string, string> {
  if (fault.code === 'method-not-allowed' && fault.detail.keys) return { allow: fault.detail.keys.join(', ') }
  if (fault.code !== 'unauthorized') return {}
  return { 'www-authenticate': `Bearer authorization_uri="${new URL(url).origin}/${tenantId}"` }
}

/** Where GET shows what a change is about: a verb is done to what stands above it. */
function pathOfThing({ method, path }: ArmRoute, given: string): string | undefined {
  if (method !== 'POST') return given
  return pathOfSubject(path) && given.replace(/\/[^/]+\/?$/, '')
}

/** As the log of changes has them: those of the provider without its name. */
function actionOf({ action }: ArmRoute): string {
  return action.startsWith(`${provider}/`) ? action.slice(provider.length + 1) : action
}

const guidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function checkSubscription(given: string | undefined): void {
  if (given === undefined || guidPattern.test(given)) return
  const shown = given.length <= 60 ? given : `${given.slice(0, 57)}...`
  throw new Fault('invalid-request', `The provided subscription identifier '${shown}' is malformed or invalid.`, {
    vendorCode: 'InvalidSubscriptionId',
  })
}

function refusePath(path: string): Fault {
  const shown = path.length <= 200 ? path : `${path.slice(0, 197)}...`
  return new Fault('not-found', `There is nothing at ${shown}.`, { vendorCode: 'InvalidResourceType' })
}

const methods: readonly ArmMethod[] = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE']

function refuseMethod(method: string, matched: readonly Matched[]): Fault {
  const allowed = methods.filter((one) => matched.some(({ route }) => route.method === one))
  return new Fault('method-not-allowed', `${method} is not possible here, only ${allowed.join(', ')}.`, {
    keys: allowed,
  })
}
