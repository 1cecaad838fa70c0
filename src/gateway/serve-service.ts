import { Fault } from '../core/fault.ts'
import type { FormPart, ServiceAnswer, ServiceRequest, ServiceRoute } from '../core/service-route.ts'
import type { Logger } from '../telemetry/logger.ts'
import { readFormParts } from './read-form.ts'
import { readJson } from './read-json.ts'
import { respondContent } from './respond-content.ts'
import type { SetTurn } from './server.ts'

/** What the gateway knows of a request to a stateful API; the rest is read from the request itself. */
export type ServiceInput = Omit<ServiceRequest, 'body' | 'form' | 'url' | 'signal'>

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
  const answer = await answerSafely(route, { ...about, url: request.url, signal: request.signal }).finally(() =>
    about.form?.return(undefined),
  )
  const init = { status: answer.status, headers: { ...headers, ...answer.headers } }
  if (answer.content) return respondContent(answer.content, request, answer, options)
  setTurn('caller')
  return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), init)
}

/** Where the database lies and what is wrong with it is for the operator. */
async function answerSafely(route: ServiceRoute, request: ServiceRequest): Promise<ServiceAnswer> {
  try {
    return await route.answer(request)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'state-unusable') throw error
    throw new Fault('internal', error.message, { cause: error })
  }
}
