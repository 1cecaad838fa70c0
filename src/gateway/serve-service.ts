import { Fault } from '../core/fault.ts'
import type { JsonObject } from '../core/json.ts'
import type { FormPart, ServiceAnswer, ServiceEvent, ServiceRequest, ServiceRoute } from '../core/service-route.ts'
import type { Logger } from '../telemetry/logger.ts'
import { respondContent } from './answer/respond-content.ts'
import { takeTurns } from './answer/sse-writer.ts'
import { passBody } from './body/pass-body.ts'
import { readFormParts } from './body/read-form.ts'
import { readJson } from './body/read-json.ts'
import type { SetTurn } from './server.ts'

/** What the gateway knows of a request to a stateful API; the rest is read from the request itself. */
export type ServiceInput = Omit<ServiceRequest, 'body' | 'form' | 'url' | 'header' | 'signal'>

export type ServeOptions = {
  /** Of the answer, whatever it will be: also of the one that tells of a Fault. */
  readonly headers: Record<string, string>
  readonly setTurn: SetTurn
  readonly log: Logger
}

/** Lets a stateful API answer. */
export async function serveService(
  route: ServiceRoute,
  request: Request,
  about: ServiceInput,
  maxBodyBytes: number,
  options: ServeOptions,
): Promise<Response> {
  if (route.form) {
    const form = readFormParts(request, route.form.maxBytes, options.setTurn)
    return answerService(route, request, { ...about, body: {}, form }, options)
  }
  const hasBody = (route.method === 'POST' || route.method === 'PATCH') && request.body !== null
  const body = hasBody ? (await readJson(request, maxBodyBytes)).body : {}
  return answerService(route, request, { ...about, body }, options)
}

/** The same, of a request whose body has been read, or is a form that is yet to be read. */
export async function answerService(
  route: ServiceRoute,
  request: Request,
  about: ServiceInput & Pick<ServiceRequest, 'body'> & { readonly form?: AsyncGenerator<FormPart, undefined> },
  options: ServeOptions,
): Promise<Response> {
  const { headers, setTurn } = options
  setTurn('ours')
  const header = (name: string): string | null => request.headers.get(name)
  const asked = { ...about, url: request.url, header, signal: request.signal }
  const answer = await answerSafely(route, asked, options.log).finally(() => about.form?.return(undefined))
  const init = { status: answer.status, headers: { ...headers, ...answer.headers } }
  if (answer.content) return respondContent(answer.content, request, answer, options)
  setTurn('caller')
  if (answer.events) return respondEvents(answer.events, request, init, options)
  return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), init)
}

/** Where the database lies and what is wrong with it is for the operator; that the caller may come back is for him. */
async function answerSafely(route: ServiceRoute, request: ServiceRequest, log: Logger): Promise<ServiceAnswer> {
  try {
    return await route.answer(request)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'state-unusable') throw error
    log.error({ requestId: request.requestId }, error.message)
    throw new Fault('storage-unavailable', 'The database of the server cannot be used at the moment.', { cause: error })
  }
}

/** Events as they come; a caller that goes ends them, and a failure cuts them off. */
function respondEvents(
  events: AsyncIterable<ServiceEvent>,
  request: Request,
  { status, headers }: { readonly status: number; readonly headers: Record<string, string> },
  { setTurn, log }: ServeOptions,
): Response {
  const body = passBody(writeEvents(events), undefined, request.signal, ({ code, message }) =>
    log.warn({ requestId: headers['x-request-id'], code }, `a stream of events was cut off: ${message}`),
  )
  const pieces = takeTurns(body, {
    setTurn,
    finish: () => {},
    isAborted: () => request.signal.aborted,
    writeError: undefined,
  })
  return new Response(pieces as unknown as BodyInit, {
    status,
    headers: {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    },
  })
}

async function* writeEvents(events: AsyncIterable<ServiceEvent>): AsyncGenerator<Uint8Array, undefined> {
  for await (const event of events) yield Buffer.from(writeEvent(event))
}

function writeEvent({ name, id, data }: ServiceEvent): string {
  const head = `${name === undefined ? '' : `event: ${name}\n`}${id === undefined ? '' : `id: ${id}\n`}`
  return `${head}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}
