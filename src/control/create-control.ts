import { Fault, toFault } from '../core/fault.ts'
import { randomHex } from '../core/id.ts'
import { type AuthenticateOptions, createGate } from './authenticate.ts'
import { createDeployments, type DeploymentsOptions } from './deployments/deployments.ts'
import { describeFault } from './errors.ts'
import { type AnalyzeOptions, analyze } from './filters/analyze.ts'
import { createFilters, type FiltersOptions } from './filters/filters.ts'
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
  UsageOptions &
  FiltersOptions &
  Omit<AnalyzeOptions, 'listPolicyNames'> & {
    /** Told of every refusal and failure, for the log. */
    onFault(fault: Fault, requestId: string): void
  }

/** `name` and `item` are the decoded `{name}` and `{item}` of the path, '' where it has none. */
type Handler = (request: Request, name: string, item: string) => Promise<Answer>
type Crud = Readonly<Record<'list' | 'show' | 'put' | 'remove', Handler>>
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
    ...listFilterRoutes(options),
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
      const found = matchPath(pattern, pathname)
      if (!found) continue
      const handler = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined
      return handler ? handler(request, found.name, found.item) : refuseMethod(request.method, Object.keys(methods))
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

function listFilterRoutes(options: ControlOptions): readonly Route[] {
  const { policies, blocklists, topics, engines, items, choices } = createFilters(options)
  const listPolicyNames = () => options.filters.policies.list().map(({ spec }) => spec.name)
  const itemsPath = '/management/rai-blocklists/{name}/items'
  const resource = (path: string, { list, show, put, remove }: Crud): Route[] => [
    { pattern: `/management/${path}`, methods: { GET: list } },
    { pattern: `/management/${path}/{name}`, methods: { GET: show, PUT: put, DELETE: remove } },
  ]
  return [
    ...resource('rai-policies', policies),
    ...resource('rai-blocklists', blocklists),
    ...resource('rai-topics', topics),
    ...resource('filter-engines', engines),
    { pattern: '/management/filter-engines/{name}/probe', methods: { GET: engines.probe } },
    { pattern: itemsPath, methods: { GET: items.list, POST: items.add } },
    {
      pattern: `${itemsPath}/delete`,
      // An item may have that name too.
      methods: {
        POST: items.removeSome,
        GET: (request, name) => items.show(request, name, 'delete'),
        PUT: (request, name) => items.put(request, name, 'delete'),
        DELETE: (request, name) => items.remove(request, name, 'delete'),
      },
    },
    { pattern: `${itemsPath}/{item}`, methods: { GET: items.show, PUT: items.put, DELETE: items.remove } },
    { pattern: '/management/filters', methods: { GET: async () => choices() } },
    {
      pattern: '/management/filters/analyze',
      methods: { POST: async (request) => analyze({ ...options, listPolicyNames }, request) },
    },
  ]
}

/** The parts of the path that the pattern names, undefined when the path is another. */
function matchPath(pattern: string, path: string): { readonly name: string; readonly item: string } | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const found = { name: '', item: '' }
  for (const [index, part] of wanted.entries()) {
    const segment = given[index] as string
    if (part === '{name}') found.name = decodeSegment(segment)
    else if (part === '{item}') found.item = decodeSegment(segment)
    else if (part !== segment) return undefined
  }
  return found
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
