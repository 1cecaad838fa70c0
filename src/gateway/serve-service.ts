import { Fault } from '../core/fault.ts'
import type { ServiceAnswer, ServiceRequest, ServiceRoute } from '../core/service-route.ts'
import { readJson } from './read-json.ts'
import type { SetTurn } from './server.ts'

/** Lets a stateful API answer. */
export async function serveService(
  route: ServiceRoute,
  request: Request,
  about: Omit<ServiceRequest, 'body'>,
  headers: Readonly<Record<string, string>>,
  maxBodyBytes: number,
  setTurn: SetTurn,
): Promise<Response> {
  const hasBody = route.method === 'POST' && request.body !== null
  const body = hasBody ? (await readJson(request, maxBodyBytes)).body : {}
  setTurn('ours')
  const answer = await answerSafely(route, { ...about, body })
  setTurn('caller')
  return new Response(JSON.stringify(answer.body), {
    status: answer.status,
    headers: { ...headers, ...answer.headers },
  })
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
