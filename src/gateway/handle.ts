import type { Call, CallKind } from '../core/call.ts'
import type { Caller, Exchange } from '../core/exchange.ts'
import { Fault, toFault } from '../core/fault.ts'
import { faultCodes } from '../core/fault-codes.ts'
import { openTally } from '../core/usage/tally.ts'
import { authenticate } from '../policy/authenticate.ts'
import { outcomeOf, type Pipeline } from '../policy/pipeline.ts'
import { findDeployment, type Snapshot } from '../snapshot/snapshot.ts'
import type { Logger } from '../telemetry/logger.ts'
import { faultWriterBelow } from '../wire/index.ts'
import type { CallInput, FaultBody, ServerEnd } from '../wire/wire.ts'
import { checkApiVersion } from './api-version.ts'
import { respondList } from './list.ts'
import { type FormBody, hasForm, maxFormBytes, readForm } from './read-form.ts'
import { type JsonBody, readJson } from './read-json.ts'
import { resolveDeployment } from './resolve.ts'
import { baseHeaders, respondFault, respondPreflight, respondReply } from './respond.ts'
import type { Endpoint, Match } from './routes.ts'
import { answerService, serveService } from './serve-service.ts'
import type { Handle, SetTurn } from './server.ts'

export type GatewayOptions = {
  readonly snapshot: () => Snapshot
  readonly matchRoute: (method: string, path: string) => Match
  readonly pipeline: Pipeline
  /** Of a JSON body, which is held whole. */
  readonly maxBodyBytes: number
  /** Of a multipart form, which passes through; `maxFormBytes` when absent. */
  readonly maxFormBytes?: number | undefined
  readonly log: Logger
}

/** The data plane: one request from its first header to the answer. Never rejects. */
export function createGateway(options: GatewayOptions): Handle {
  return async (request, url, setTurn) => {
    if (request.method === 'OPTIONS') return respondPreflight(request)
    const requestId = crypto.randomUUID()
    const headers = baseHeaders(requestId, request)
    const match = options.matchRoute(request.method, url.pathname)
    const idHeader = requestIdHeader(match)
    if (idHeader !== undefined) headers[idHeader] = requestId
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
  const caller = authenticate(request.headers, snapshot.keys, Date.now())
  const apiVersion = url.searchParams.get('api-version')
  checkApiVersion(apiVersion, endpoint.apiVersion, url.pathname)
  const params = match.found === 'endpoint' ? match.params : {}
  const about = { params, query: url.searchParams, caller, requestId }
  if (endpoint.kind === 'service') {
    return serveService(endpoint.route, request, about, options.maxBodyBytes, { headers, setTurn, log: options.log })
  }
  if (endpoint.kind === 'list') {
    const named =
      params.model ?? url.searchParams.get('model') ?? request.headers.get('x-ms-model-mesh-model-name') ?? ''
    return respondList(endpoint.list, snapshot, caller, named, apiVersion ?? '', headers)
  }
  const { end, standIn } = endpoint
  const header = (name: string) => request.headers.get(name)
  const input: CallInput = {
    ...(await readBody(options, request, end, params.deployment, setTurn)),
    pathDeployment: params.deployment,
    header,
  }
  const call = end.readCall(input)
  if (standIn?.standsInFor?.(call.deployment) && !findDeployment(snapshot, call.deployment)) {
    return answerService(standIn, request, { ...about, body: input.body }, { headers, setTurn, log: options.log })
  }
  const exchange = openExchange(snapshot, request, call, header, headers, requestId, caller)
  setTurn('ours')
  try {
    const reply = await options.pipeline.run(exchange)
    return respondReply(reply, exchange, end, options.pipeline, setTurn)
  } catch (error) {
    options.pipeline.end(exchange, outcomeOf(exchange, error), toFault(error))
    throw error
  }
}

function openExchange(
  snapshot: Snapshot,
  request: Request,
  call: Call,
  header: Exchange['header'],
  answerHeaders: Record<string, string>,
  id: string,
  caller: Caller,
): Exchange {
  const deployment = resolveDeployment(snapshot, caller, call.deployment)
  if (!deployment.kinds.has(call.kind)) {
    throw new Fault(
      'operation-not-supported',
      `The ${operationNames[call.kind]} operation does not work with the specified model, ${deployment.name}. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.`,
    )
  }
  return {
    id,
    caller,
    call,
    deployment,
    spilledFrom: undefined,
    servedTier: undefined,
    isBatch: false,
    needsEvents: false,
    signal: request.signal,
    header,
    answerHeaders,
    attempts: [],
    tally: openTally(),
    holds: [],
    startedAt: Date.now(),
  }
}

function readBody(
  options: GatewayOptions,
  request: Request,
  end: ServerEnd,
  pathDeployment: string | undefined,
  setTurn: SetTurn,
): Promise<JsonBody | FormBody> {
  if (!end.form || !hasForm(request)) return readJson(request, options.maxBodyBytes)
  const isNamed = pathDeployment !== undefined || request.headers.has('x-ms-model-mesh-model-name')
  const limits = { maxHeldBytes: options.maxBodyBytes, maxFormBytes: options.maxFormBytes ?? maxFormBytes }
  return readForm(request, end.form, isNamed, limits, setTurn)
}

const operationNames: Readonly<Record<CallKind, string>> = {
  chat: 'chatCompletion',
  completion: 'completion',
  embed: 'embeddings',
  image: 'imageGeneration',
  'image-edit': 'imageEdit',
  'inference-image': 'imageGeneration',
  'image-embed': 'imageEmbeddings',
  speech: 'speech',
  transcribe: 'transcription',
  translate: 'translation',
  moderate: 'moderation',
  rerank: 'rerank',
}

function requireEndpoint(match: Match, method: string, path: string): Endpoint {
  if (match.found === 'endpoint') return match.endpoint
  if (match.found === 'other-methods') {
    throw new Fault('method-not-allowed', `${method} is not allowed on ${path}. Allowed: ${match.allow}.`)
  }
  throw new Fault('not-found', `Resource not found: there is no route ${method} ${path}.`)
}

function requestIdHeader(match: Match): string | undefined {
  if (match.found !== 'endpoint' || match.endpoint.kind !== 'inference') return undefined
  return match.endpoint.end.requestIdHeader
}

/** Faults are written as the surface that was called writes them, also where no route was found. */
function faultWriter(match: Match, path: string): (fault: Fault, requestId: string) => FaultBody {
  if (match.found === 'endpoint' && match.endpoint.kind === 'inference') return match.endpoint.end.writeFault
  return faultWriterBelow(path)
}

function logFault(log: Logger, fault: Fault, requestId: string, method: string, path: string): void {
  const level = fault.detail.isRoutine ? 'debug' : faultCodes[fault.code].log
  log[level]({ requestId, code: fault.code, status: fault.status, method, path }, fault.message)
  if (fault.code === 'internal') log.error({ requestId, err: fault.detail.cause ?? fault }, 'unexpected error')
}
