import { type AccessScope, type Principal, serverScope } from '../../core/access/principal.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ResourceId } from '../../core/resource.ts'
import type { Answer } from './answer.ts'

/** Who asks, from where, and for what. */
export type Visit = {
  readonly principal: Principal
  /** Address of the other end of the connection, '' when it has gone. */
  readonly address: string
  /** Parts of the path by the names that the pattern gives them, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Of the answer, the log and the audit log. */
  readonly requestId: string
  readonly forward: Forward
}

/**
 * What another route of the same resource gives to whoever asks, judged, allowed and told of as if it had been asked itself. `path` is below
 * that of the resource, with its query. Rejects with the Fault that it would be refused with.
 */
export type Forward = (method: ControlRoute['method'], path: string, body?: JsonObject) => Promise<Answer>

/** `name` and `item` are the `{name}` and `{item}` of the path, '' where it has none. */
export type Handler = (request: Request, name: string, item: string, visit: Visit) => Promise<Answer>

/** A way into the management API. `action` is what one must be allowed to do, as Azure names it, below `Microsoft.CognitiveServices/`. */
export type ControlRoute = {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  /** Below the root that it is served under; `{word}` stands for a segment. */
  readonly path: string
  readonly action: string
  /** `server`: what it is about is not the resource's own, and so must be allowed on the whole server. */
  readonly scope?: 'server' | undefined
  readonly handle: Handler
}

/** Where its action must be allowed: on the resource, or the deployment of it that the path names. */
export function scopeOf({ path, scope }: ControlRoute, params: Matched['params'], resource: ResourceId): AccessScope {
  if (scope === 'server') return serverScope
  const { name } = params
  return name !== undefined && path.startsWith('/deployments/{name}')
    ? { kind: 'deployment', resource, deployment: name }
    : { kind: 'resource', resource }
}

export type Matched = { readonly route: ControlRoute; readonly params: Readonly<Record<string, string>> }

/** The routes whose pattern the path fits, of any method. */
export function matchRoutes(routes: readonly ControlRoute[], path: string): readonly Matched[] {
  const given = path.split('/')
  return routes.flatMap((route) => {
    const params = matchPath(route.path, given)
    return params ? [{ route, params }] : []
  })
}

function matchPath(pattern: string, given: readonly string[]): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const segment = given[index] as string
    if (part.startsWith('{')) params[part.slice(1, -1)] = decodeSegment(segment)
    else if (part !== segment) return undefined
  }
  return params
}

/** What is not valid percent-encoding stays as it is, and is then no name of anything. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** What a verb is done to: `/deployments/{name}/pause` is done to `/deployments/{name}`; undefined where it is no single thing. */
export function pathOfSubject(pattern: string): string | undefined {
  const above = pattern.slice(0, pattern.lastIndexOf('/'))
  return above.endsWith('}') && !pattern.endsWith('}') ? above : undefined
}
