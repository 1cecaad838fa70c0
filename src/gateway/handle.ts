import type { Call, CallKind } from '../core/call.ts'
import type { Caller, Exchange } from '../core/exchange.ts'
import { Fault, toFault } from '../core/fault.ts'
import { faultCodes } from '../core/fault-codes.ts'
import { timeId } from '../core/text/id.ts'
import { openRecord, type RecordListener, type RequestRecord } from '../core/usage/request-record.ts'
import { openTally } from '../core/usage/tally.ts'
import { authorizeDataAction } from '../policy/access/authorize.ts'
import { refuseKey } from '../policy/authenticate.ts'
import { outcomeOf, type Pipeline } from '../policy/pipeline.ts'
import { noteCaller } from '../policy/request-log/close-record.ts'
import { noteArrival, noteRefusal } from '../policy/request-log/note-request.ts'
import { findDeployment, type Snapshot } from '../snapshot/snapshot.ts'
import type { Logger } from '../telemetry/logger.ts'
import { faultWriterBelow } from '../wire/index.ts'
import type { CallInput, FaultBody, ServerEnd } from '../wire/wire.ts'
import { admit, authorizeCall, authorizeEndpoint, checkAddress, type Tokens } from './admit.ts'
import { baseHeaders, respondFault, respondPreflight, respondReply } from './answer/respond.ts'
import { checkApiVersion } from './api-version.ts'
import { type FormBody, hasForm, maxFormBytes, readForm } from './body/read-form.ts'
import { type JsonBody, readJson } from './body/read-json.ts'
import { respondList } from './list.ts'
import { resolveDeployment } from './resolve.ts'
import type { Endpoint, Match } from './routes.ts'
import { answerService, serveService } from './serve-service.ts'
import type { Handle, SetTurn } from './server.ts'

export type GatewayOptions = {
  /** The resource that the URL is of, undefined where it names one that there is not. What names it is taken off the path. Asked once for each request. */
  readonly snapshot: (url: URL) => Snapshot | undefined
  readonly matchRoute: (method: string, path: string) => Match
  readonly pipeline: Pipeline
  /** Of a JSON body, which is held whole. */
  readonly maxBodyBytes: number
  /** Of a multipart form, which passes through; `maxFormBytes` when absent. */
  readonly maxFormBytes?: number | undefined
  /** Told of requests for inference that were refused before it was known which deployment they are for; those after are told by the pipeline. */
  readonly onRefused?: RecordListener | undefined
  /** Lets callers in by tokens; without it only keys do. */
  readonly tokens?: Tokens | undefined
  readonly log: Logger
}

/** The data plane: one request from its first header to the answer. Never rejects. */
export function createGateway(options: GatewayOptions): Handle {
  return async (request, url, setTurn, readAddress) => {
    if (request.method === 'OPTIONS') return respondPreflight(request)
    const startedAt = Date.now()
    const requestId = timeId(startedAt)
    const record = openRecord(requestId, startedAt, performance.now())
    const headers = baseHeaders(requestId, request)
    const snapshot = options.snapshot(url)
    const match = options.matchRoute(request.method, url.pathname)
    const idHeader = requestIdHeader(match)
    if (idHeader !== undefined) headers[idHeader] = requestId
    try {
      noteArrival(record, request, url.pathname, headers, readAddress)
      if (snapshot) checkAddress(snapshot, record.address)
      return await answer(options, snapshot, request, url, match, record, headers, setTurn)
    } catch (error) {
      setTurn('caller')
      const fault = toFault(error)
      logFault(options.log, fault, requestId, request.method, url.pathname)
      if (fault.code === 'method-not-allowed' && match.found === 'other-methods') headers.allow = match.allow
      const body = faultWriter(match, url.pathname)(fault, requestId)
      const findCaller = () => snapshot && admit(request.headers, snapshot, options.tokens, startedAt)
      noteRefusal(
        record,
        fault,
        body,
        match.found === 'endpoint' ? match.endpoint : undefined,
        findCaller,
        options.onRefused,
      )
      return respondFault(body, headers)
    }
  }
}

async function answer(
  options: GatewayOptions,
  snapshot: Snapshot | undefined,
  request: Request,
  url: URL,
  match: Match,
  record: RequestRecord,
  headers: Record<string, string>,
  setTurn: SetTurn,
): Promise<Response> {
  const endpoint = requireEndpoint(match, request.method, url.pathname)
  // In the words for a wrong key: whoever has none learns of no resource that it is there.
  if (!snapshot) throw refuseKey()
  record.resource = snapshot.resource.name
  const admitted = admit(request.headers, snapshot, options.tokens, record.startedAt)
  const caller = admitted instanceof Promise ? await admitted : admitted
  noteCaller(record, caller)
  const operation = `${request.method} ${url.pathname}`
  authorizeEndpoint(caller, endpoint, snapshot, operation)
  const apiVersion = url.searchParams.get('api-version')
  checkApiVersion(apiVersion, endpoint.apiVersion, url.pathname)
  const params = match.found === 'endpoint' ? match.params : {}
  const about = { params, query: url.searchParams, caller, requestId: record.id }
  if (endpoint.kind === 'service') {
    return serveService(endpoint.route, request, about, options.maxBodyBytes, { headers, setTurn, log: options.log })
  }
  if (endpoint.kind === 'list') {
    const named =
      params.model ?? url.searchParams.get('model') ?? request.headers.get('x-ms-model-mesh-model-name') ?? ''
    return respondList(endpoint.list, snapshot, caller, named, apiVersion ?? '', operation, headers)
  }
  const { end, standIn } = endpoint
  record.surface = end.wire
  const header = (name: string) => request.headers.get(name)
  const input: CallInput = {
    ...(await readBody(options, request, end, params.deployment, setTurn)),
    pathDeployment: params.deployment,
    header,
  }
  record.asked = params.deployment ?? (typeof input.body.model === 'string' ? input.body.model : '')
  record.requestBytes = input.form ? record.requestBytes : Buffer.byteLength(input.text)
  const call = end.readCall(input)
  record.asked = call.deployment
  if (standIn?.standsInFor?.(call.deployment) && !findDeployment(snapshot, call.deployment)) {
    authorizeDataAction(caller, standIn.action, { kind: 'resource', resource: snapshot.resource.id }, operation)
    return answerService(standIn, request, { ...about, body: input.body }, { headers, setTurn, log: options.log })
  }
  const exchange = openExchange(snapshot, request, call, header, headers, record, caller, operation)
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
  record: RequestRecord,
  caller: Caller,
  operation: string,
): Exchange {
  const deployment = resolveDeployment(snapshot, caller, call.deployment)
  authorizeCall(caller, deployment, call, snapshot, operation)
  if (!deployment.kinds.has(call.kind)) {
    throw new Fault(
      'operation-not-supported',
      `The ${operationNames[call.kind]} operation does not work with the specified model, ${deployment.name}. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.`,
    )
  }
  return {
    id: record.id,
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
    record,
    tally: openTally(),
    holds: [],
    startedAt: record.startedAt,
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
