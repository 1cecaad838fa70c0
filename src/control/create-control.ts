import { Fault, toFault } from '../core/fault.ts'
import { randomHex } from '../core/id.ts'
import { type AuthenticateOptions, createGate } from './authenticate.ts'
import { describeFault } from './errors.ts'
import { type Answer, writeAnswer } from './http/answer.ts'
import { type ControlRoute, listRoutes, type RoutesOptions } from './routes.ts'

export type ControlOptions = AuthenticateOptions &
  RoutesOptions & {
    /** Told of every refusal and failure, for the log. */
    onFault(fault: Fault, requestId: string): void
  }

const root = '/management'

/** The management API (api.ts says what it is): answers any request whose path begins with `/management`. Never rejects. */
export function createControl(options: ControlOptions): (request: Request) => Promise<Response> {
  const gate = createGate(options)
  const routes = listRoutes(options)

  async function answer(request: Request): Promise<Answer> {
    gate.checkHost(request.headers)
    // A preflight brings no credential. It gets what every other method gets that is not there, and no leave to go on.
    const principal = request.method === 'OPTIONS' ? undefined : gate.authenticate(request.headers)
    const { pathname } = new URL(request.url)
    const found = routes.flatMap((route) => {
      const params = matchPath(root + route.path, pathname)
      return params ? [{ ...params, route }] : []
    })
    const match = found.find(({ route }) => route.method === request.method)
    if (match && principal) return match.route.handle(request, match.name, match.item, principal)
    if (found.length > 0)
      return refuseMethod(
        request.method,
        found.map(({ route }) => route),
      )
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

const methods: readonly ControlRoute['method'][] = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']

function refuseMethod(method: string, routes: readonly ControlRoute[]): Answer {
  const allowed = methods.filter((one) => routes.some((route) => route.method === one)).join(', ')
  const fault = new Fault('method-not-allowed', `${method} is not possible here, only ${allowed}.`)
  return { ...describeFault(fault, ''), headers: { allow: allowed } }
}

function challenge(fault: Fault): Record<string, string> {
  return fault.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}
}
