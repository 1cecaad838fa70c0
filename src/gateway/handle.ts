import type { Caller, Exchange } from '../core/exchange.ts'
import { Fault, toFault } from '../core/fault.ts'
import { faultCodes } from '../core/fault-codes.ts'
import { authenticate } from '../policy/authenticate.ts'
import type { Router } from '../route/router.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Logger } from '../telemetry/logger.ts'
import { writeInferenceFault } from '../wire/azure-inference/fault.ts'
import { writeOpenAIFault } from '../wire/openai-fault.ts'
import type { CallInput, FaultBody, ServerEnd } from '../wire/wire.ts'
import { checkApiVersion } from './api-version.ts'
import { respondList } from './list.ts'
import { readJson } from './read-json.ts'
import { resolveDeployment } from './resolve.ts'
import { baseHeaders, respondFault, respondPreflight, respondReply } from './respond.ts'
import type { Endpoint, Match } from './routes.ts'
import type { Handle, SetTurn } from './server.ts'

export type GatewayOptions = {
  readonly snapshot: () => Snapshot
  readonly matchRoute: (method: string, path: string) => Match
  readonly route: Router
  readonly maxBodyBytes: number
  readonly log: Logger
}

/** The data plane: one request from its first header to the answer. Never rejects. */
export function createGateway(options: GatewayOptions): Handle {
  return async (request, setTurn) => {
    if (request.method === 'OPTIONS') return respondPreflight(request)
    const url = new URL(request.url)
    const requestId = crypto.randomUUID()
    const headers = baseHeaders(requestId, request)
    const match = options.matchRoute(request.method, url.pathname)
    try {
      return await answer(options, request, url, match, requestId, headers, setTurn)
    } catch (error) {
      setTurn('caller')
      const fault = toFault(error)
      logFault(options.log, fault, requestId, request.method, url.pathname)
      if (fault.code === 'method-not-allowed' && match.found === 'other-methods') headers.allow = match.allow
      return respondFault(faultWriter(match, url.pathname)(fault, requestId), headers)
    }
  }
}

async function answer(
  options: GatewayOptions,
  request: Request,
  url: URL,
  match: Match,
  requestId: string,
  headers: Record<string, string>,
  setTurn: SetTurn,
): Promise<Response> {
  const endpoint = requireEndpoint(match, request.method, url.pathname)
  const snapshot = options.snapshot()
  const caller = authenticate(request.headers, snapshot.keys)
  const apiVersion = url.searchParams.get('api-version')
  checkApiVersion(apiVersion, endpoint.apiVersion, url.pathname)
  const param = match.found === 'endpoint' ? match.param : undefined
  if (endpoint.kind === 'list') {
    const named = param ?? url.searchParams.get('model') ?? request.headers.get('x-ms-model-mesh-model-name') ?? ''
    return respondList(endpoint.list, snapshot, named, apiVersion ?? '', headers)
  }
  const exchange = await readExchange(options, snapshot, request, endpoint.end, param, requestId, caller)
  setTurn('ours')
  const reply = await options.route(exchange)
  return respondReply(reply, exchange, endpoint.end, headers, setTurn)
}

async function readExchange(
  options: GatewayOptions,
  snapshot: Snapshot,
  request: Request,
  end: ServerEnd,
  pathDeployment: string | undefined,
  id: string,
  caller: Caller,
): Promise<Exchange> {
  const { text, body } = await readJson(request, options.maxBodyBytes)
  const input: CallInput = { text, body, pathDeployment, header: (name) => request.headers.get(name) }
  const call = end.readCall(input)
  const deployment = resolveDeployment(snapshot, call.deployment)
  if (!deployment.kinds.has(call.kind)) {
    throw new Fault(
      'operation-not-supported',
      `The ${operationNames[call.kind]} operation does not work with the specified model, ${deployment.name}. Please choose different model and try again.`,
    )
  }
  return { id, caller, call, deployment, signal: request.signal, attempts: [] }
}

const operationNames = { chat: 'chatCompletion', completion: 'completion', embed: 'embeddings' } as const

function requireEndpoint(match: Match, method: string, path: string): Endpoint {
  if (match.found === 'endpoint') return match.endpoint
  if (match.found === 'other-methods') {
    throw new Fault('method-not-allowed', `${method} is not allowed on ${path}. Allowed: ${match.allow}.`)
  }
  throw new Fault('not-found', `Resource not found: there is no route ${method} ${path}.`)
}

/** Faults are written as the surface that was called writes them, also where no route was found. */
function faultWriter(match: Match, path: string): (fault: Fault, requestId: string) => FaultBody {
  if (match.found === 'endpoint' && match.endpoint.kind === 'inference') return match.endpoint.end.writeFault
  return path.startsWith('/openai') ? writeOpenAIFault : writeInferenceFault
}

function logFault(log: Logger, fault: Fault, requestId: string, method: string, path: string): void {
  log[faultCodes[fault.code].log]({ requestId, code: fault.code, status: fault.status, method, path }, fault.message)
  if (fault.code === 'internal') log.error({ requestId, err: fault.detail.cause ?? fault }, 'unexpected error')
}
