import type { Exchange } from '../../core/exchange.ts'
import type { Reply } from '../../core/reply.ts'
import type { Pipeline } from '../../policy/pipeline.ts'
import type { AnswerHead, FaultBody, ServerEnd } from '../../wire/wire.ts'
import type { SetTurn } from '../server.ts'
import { streamBody } from './sse-writer.ts'

/** Headers that browsers may read; hosted services are known for hiding the ones a caller needs to back off. */
const exposed = [
  'apim-request-id',
  'x-request-id',
  'request-id',
  'x-ms-client-request-id',
  'x-ms-error-code',
  'x-ms-region',
  'x-ms-deployment-name',
  'x-ms-is-spilled-over',
  'x-ms-rai-invoked',
  'retry-after',
  'retry-after-ms',
  'x-ms-retry-after-ms',
  'x-should-retry',
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  'azure-openai-deployment-utilization',
  'x-ms-spillover-from-deployment',
  'x-ms-spillover-error',
  'deprecation',
  'sunset',
  'x-ms-model-replacement',
  'x-content-filter-engine',
  'location',
  'accept-ranges',
  'content-range',
  'content-disposition',
].join(', ')

export const region = 'local'

const clientRequestIdPattern = /^[\x21-\x7e]{1,128}$/

/** What every answer of the data plane carries. A client's own request id is echoed, since Azure clients match on it. */
export function baseHeaders(requestId: string, request: Request): Record<string, string> {
  const clientRequestId = request.headers.get('x-ms-client-request-id')
  const isEchoed = clientRequestId !== null && clientRequestIdPattern.test(clientRequestId)
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'apim-request-id': requestId,
    'x-request-id': requestId,
    'x-ms-client-request-id': isEchoed ? clientRequestId : requestId,
    'x-ms-region': region,
    'x-content-type-options': 'nosniff',
  }
  // Only pages ask for leave to read an answer. Keys travel in headers and never in cookies, so any origin may.
  if (request.headers.has('origin')) {
    headers['access-control-allow-origin'] = '*'
    headers['access-control-expose-headers'] = exposed
  }
  return headers
}

export function respondReply(
  reply: Reply,
  exchange: Exchange,
  end: ServerEnd,
  pipeline: Pipeline,
  setTurn: SetTurn,
): Response {
  const { call, deployment, answerHeaders: headers } = exchange
  setTurn('caller')
  headers['x-ms-deployment-name'] ??= deployment.name
  if (call.kind === 'chat') {
    headers['x-ms-is-spilled-over'] = exchange.spilledFrom ? 'true' : 'false'
    headers['x-ms-rai-invoked'] = exchange.record.filterPolicy === '' ? 'false' : 'true'
  }
  if (reply.kind === 'whole') {
    exchange.tally.usage = reply.result.usage
    const body = end.writeResult(reply.result, call, answerHead(exchange))
    exchange.record.responseBytes = Buffer.byteLength(body)
    pipeline.end(exchange, 'done')
    return new Response(body, { headers })
  }
  if (reply.kind === 'bytes' && reply.body instanceof Uint8Array) {
    exchange.record.responseBytes = reply.body.length
    pipeline.end(exchange, 'done')
    return new Response(reply.body as BodyInit, { headers })
  }
  headers['content-type'] = reply.kind === 'passed' ? reply.contentType : 'text/event-stream; charset=utf-8'
  headers['cache-control'] = 'no-cache'
  headers['x-accel-buffering'] = 'no'
  return new Response(streamBody(reply, exchange, end, answerHead(exchange), pipeline, setTurn), {
    headers,
  })
}

function answerHead({ id, deployment, servedTier }: Exchange): AnswerHead {
  return {
    requestId: id,
    servedModel: deployment.servedModel,
    created: unixSeconds(),
    now: unixSeconds,
    serviceTier: servedTier,
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

export function respondFault(fault: FaultBody, headers: Record<string, string>): Response {
  return new Response(fault.body, { status: fault.status, headers: { ...headers, ...fault.headers } })
}

const preflight = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PATCH, DELETE, OPTIONS',
  'access-control-max-age': '86400',
  vary: 'Access-Control-Request-Headers',
}

/** Keys travel in headers and never in cookies, so any origin may ask. */
export function respondPreflight(request: Request): Response {
  const asked = request.headers.get('access-control-request-headers')
  const allowed = asked ?? 'api-key, x-api-key, authorization, content-type, extra-parameters, x-ms-client-request-id'
  return new Response(null, { status: 204, headers: { ...preflight, 'access-control-allow-headers': allowed } })
}
