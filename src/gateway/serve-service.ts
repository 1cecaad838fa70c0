import { Fault } from '../core/fault.ts'
import type { ServiceAnswer, ServiceRequest, ServiceRoute } from '../core/service-route.ts'
import { readJson } from './read-json.ts'
import type { SetTurn } from './server.ts'

/** What the gateway knows of a request to a stateful API; the rest is read from the request itself. */
export type ServiceInput = Omit<ServiceRequest, 'body' | 'url' | 'signal'>

/** Lets a stateful API answer. */
export async function serveService(
  route: ServiceRoute,
  request: Request,
  about: ServiceInput,
  headers: Readonly<Record<string, string>>,
  maxBodyBytes: number,
  setTurn: SetTurn,
): Promise<Response> {
  const hasBody = (route.method === 'POST' || route.method === 'PATCH') && request.body !== null
  const body = hasBody ? (await readJson(request, maxBodyBytes)).body : {}
  return answerService(route, request, { ...about, body }, headers, setTurn)
}

/** The same, of a request whose body has been read. */
export async function answerService(
  route: ServiceRoute,
  request: Request,
  about: ServiceInput & Pick<ServiceRequest, 'body'>,
  headers: Readonly<Record<string, string>>,
  setTurn: SetTurn,
): Promise<Response> {
  setTurn('ours')
  const answer = await answerSafely(route, { ...about, url: request.url, signal: request.signal })
  setTurn('caller')
  const init = { status: answer.status, headers: { ...headers, ...answer.headers } }
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
