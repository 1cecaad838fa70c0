import { Fault, toFault } from '../core/fault.ts'
import { randomHex } from '../core/id.ts'
import { type AuthenticateOptions, createGate } from './authenticate.ts'
import { createDeployments, type DeploymentsOptions } from './deployments/deployments.ts'
import { describeFault } from './errors.ts'
import { type Answer, writeAnswer } from './http/answer.ts'
import { createKeys, type KeysOptions } from './keys.ts'
import { listModels, showModel } from './models.ts'
import { createNamedKeys, type NamedKeysOptions } from './named-keys/named-keys.ts'
import { createQuota, type QuotaOptions } from './quota.ts'
import { type StatusOptions, showStatus } from './status.ts'
import { listBudgets, showUsage, type UsageOptions } from './usage.ts'

export type ControlOptions = AuthenticateOptions &
  DeploymentsOptions &
  KeysOptions &
  NamedKeysOptions &
  QuotaOptions &
  StatusOptions &
  UsageOptions & {
    /** Told of every refusal and failure, for the log. */
    onFault(fault: Fault, requestId: string): void
  }

type Handler = (request: Request, name: string) => Promise<Answer>
type Route = { readonly pattern: string; readonly methods: Readonly<Record<string, Handler>> }

/** The management API (api.ts says what it is): answers any request whose path begins with `/management`. Never rejects. */
export function createControl(options: ControlOptions): (request: Request) => Promise<Response> {
  const gate = createGate(options)
  const deployments = createDeployments(options)
  const keys = createKeys(options)
  const namedKeys = createNamedKeys(options)
  const quota = createQuota(options)
  const routes: readonly Route[] = [
    { pattern: '/management/status', methods: { GET: async () => showStatus(options) } },
    { pattern: '/management/models', methods: { GET: async () => listModels(options) } },
    { pattern: '/management/models/{name}', methods: { GET: async (_request, name) => showModel(options, name) } },
    { pattern: '/management/quota', methods: { GET: quota.list } },
    { pattern: '/management/quota/{name}', methods: { GET: quota.show, PUT: quota.put, DELETE: quota.remove } },
    { pattern: '/management/usage', methods: { GET: async (request) => showUsage(options, request) } },
    { pattern: '/management/budgets', methods: { GET: async () => listBudgets(options) } },
    { pattern: '/management/keys', methods: { GET: keys.list } },
    { pattern: '/management/keys/{name}/regenerate', methods: { POST: keys.regenerate } },
    { pattern: '/management/named-keys', methods: { GET: namedKeys.list } },
    {
      pattern: '/management/named-keys/{name}',
      methods: { GET: namedKeys.show, PUT: namedKeys.put, PATCH: namedKeys.patch, DELETE: namedKeys.remove },
    },
    { pattern: '/management/named-keys/{name}/rotate', methods: { POST: namedKeys.rotate } },
    { pattern: '/management/named-keys/{name}/revoke', methods: { POST: namedKeys.revoke } },
    { pattern: '/management/deployments', methods: { GET: deployments.list } },
    {
      pattern: '/management/deployments/{name}',
      methods: { GET: deployments.show, PUT: deployments.put, PATCH: deployments.patch, DELETE: deployments.remove },
    },
    { pattern: '/management/deployments/{name}/probe', methods: { GET: deployments.probe } },
    { pattern: '/management/deployments/{name}/pause', methods: { POST: deployments.pause } },
    { pattern: '/management/deployments/{name}/resume', methods: { POST: deployments.resume } },
    { pattern: '/management/deployments/{name}/upgrade', methods: { GET: deployments.upgrade } },
  ]

  async function answer(request: Request): Promise<Answer> {
    gate.checkHost(request.headers)
    // A preflight brings no credential. It gets what every other method gets that is not there, and no leave to go on.
    if (request.method !== 'OPTIONS') gate.authenticate(request.headers)
    const { pathname } = new URL(request.url)
    for (const { pattern, methods } of routes) {
      const name = matchPath(pattern, pathname)
      if (name === undefined) continue
      const handler = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined
      return handler ? handler(request, name) : refuseMethod(request.method, Object.keys(methods))
    }
    throw new Fault('not-found', `There is nothing at ${pathname}.`)
  }

  return async (request) => {
    try {
      return writeAnswer(await answer(request))
    } catch (error) {
      const requestId = randomHex()
      const fault = toFault(error)
      options.onFault(fault, requestId)
      const refusal = describeFault(fault, requestId)
      return writeAnswer({ ...refusal, headers: { 'x-request-id': requestId, ...challenge(fault) } })
    }
  }
}

/** The decoded `{name}` of the path, '' where the pattern has none, undefined when the path is another. */
function matchPath(pattern: string, path: string): string | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  let name = ''
  for (const [index, part] of wanted.entries()) {
    const segment = given[index] as string
    if (part === '{name}') name = decodeSegment(segment)
    else if (part !== segment) return undefined
  }
  return name
}

/** What is not valid percent-encoding stays as it is, and is then no name of anything. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function refuseMethod(method: string, allowed: readonly string[]): Answer {
  const fault = new Fault('method-not-allowed', `${method} is not possible here, only ${allowed.join(', ')}.`)
  return { ...describeFault(fault, ''), headers: { allow: allowed.join(', ') } }
}

function challenge(fault: Fault): Record<string, string> {
  return fault.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}
}
