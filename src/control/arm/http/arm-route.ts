import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/route.ts'

/** A request below the host root, authenticated and of a version that is known. */
export type ArmVisit = Omit<Visit, 'forward'> & {
  readonly url: URL
  /** `api-version`, lower case. */
  readonly apiVersion: string
}

export type ArmHandler = (request: Request, visit: ArmVisit) => Promise<Answer>

export type ArmMethod = 'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'

export type ArmRoute = {
  readonly method: ArmMethod
  /** From the host root. Its words match in any case, `{word}` stands for a segment. */
  readonly path: string
  /** What one must be allowed to do, as Azure names it. */
  readonly action: string
  readonly handle: ArmHandler
  /** Answered as an operation with a status of its own, where it makes or removes something. */
  readonly isLong?: boolean
  /** Taken in any version, though its action is one of the provider's. */
  readonly isVersionless?: boolean
}

export const provider = 'Microsoft.CognitiveServices'
export const ofSubscription = '/subscriptions/{subscription}'
export const ofGroup = `${ofSubscription}/resourceGroups/{group}`
export const ofProvider = `${ofSubscription}/providers/${provider}`
export const ofLocation = `${ofProvider}/locations/{location}`
export const ofAccounts = `${ofGroup}/providers/${provider}/accounts`
export const ofAccount = `${ofAccounts}/{account}`

/** A route whose action is one of the provider's: `accounts/read`. */
export function route(
  method: ArmMethod,
  path: string,
  action: string,
  handle: ArmHandler,
  more: Pick<ArmRoute, 'isLong' | 'isVersionless'> = {},
): ArmRoute {
  return { method, path, action: action.startsWith('Microsoft.') ? action : `${provider}/${action}`, handle, ...more }
}

/** Whether it has the versions of the provider; what lies around it has had one shape for ten years. */
export function hasVersions({ action, isVersionless }: ArmRoute): boolean {
  return action.startsWith(`${provider}/`) && !isVersionless
}

export type Matched = { readonly route: ArmRoute; readonly params: Readonly<Record<string, string>> }

/** The routes whose pattern the path fits, of any method. A slash at the end does not count. */
export function matchArmRoutes(routes: readonly CompiledRoute[], path: string): readonly Matched[] {
  const given = path.replace(/\/$/, '').split('/')
  const lower = given.map((segment) => segment.toLowerCase())
  return routes.flatMap(({ route, segments }) => {
    const params = matchPath(segments, given, lower)
    return params ? [{ route, params }] : []
  })
}

export type CompiledRoute = { readonly route: ArmRoute; readonly segments: readonly string[] }

export function compileRoutes(routes: readonly ArmRoute[]): readonly CompiledRoute[] {
  return routes.map((one) => ({
    route: one,
    segments: one.path.split('/').map((segment) => (segment.startsWith('{') ? segment : segment.toLowerCase())),
  }))
}

function matchPath(
  segments: readonly string[],
  given: readonly string[],
  lower: readonly string[],
): Record<string, string> | undefined {
  if (segments.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of segments.entries()) {
    if (part.startsWith('{')) {
      const value = decodeSegment(given[index] as string)
      if (value === '') return undefined
      params[part.slice(1, -1)] = value
    } else if (part !== lower[index]) return undefined
  }
  return params
}

/** What is not valid percent-encoding stays as it is, and is then no name of anything. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** What the path calls `name`; every route that asks for it has it. */
export function paramOf(visit: Pick<ArmVisit, 'params'>, name: string): string {
  return visit.params[name] as string
}

export function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
