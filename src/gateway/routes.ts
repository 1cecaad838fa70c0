import type { ServiceRoute } from '../core/service-route.ts'
import type { ServerEnd, ServerRoute } from '../wire/wire.ts'

/** Lists and descriptions that are read from the Snapshot; no model is asked. */
export type ListName = 'info' | 'deployments' | 'base-models' | 'v1-models' | 'v1-model'

export type Endpoint = { readonly apiVersion: ServerRoute['apiVersion'] } & (
  | {
      readonly kind: 'inference'
      readonly end: ServerEnd
      /** Answers in place of some deployments that do not exist. */
      readonly standIn?: ServiceRoute | undefined
    }
  | { readonly kind: 'list'; readonly list: ListName }
  | { readonly kind: 'service'; readonly route: ServiceRoute }
)

/** Parameters of the path by name, decoded. */
export type PathParams = Readonly<Record<string, string>>

export type Match =
  | { readonly found: 'endpoint'; readonly endpoint: Endpoint; readonly params: PathParams }
  | { readonly found: 'other-methods'; readonly allow: string }
  | { readonly found: 'nothing' }

const lists: readonly (ServerRoute & { readonly list: ListName })[] = [
  { method: 'GET', path: '/models/info', apiVersion: 'required', list: 'info' },
  { method: 'GET', path: '/info', apiVersion: 'required', list: 'info' },
  { method: 'GET', path: '/openai/deployments', apiVersion: 'required', list: 'deployments' },
  { method: 'GET', path: '/openai/models', apiVersion: 'required', list: 'base-models' },
  { method: 'GET', path: '/openai/v1/models', apiVersion: 'optional', list: 'v1-models' },
  { method: 'GET', path: '/openai/v1/models/{model}', apiVersion: 'optional', list: 'v1-model' },
]

type Methods = Map<string, { readonly endpoint: Endpoint; readonly names: readonly string[] }>

/** A parameter is a whole segment, or its beginning when a verb follows: `:cancel`. */
type Parameter = { readonly verb: string }

type Pattern = { readonly segments: readonly (string | Parameter)[]; readonly methods: Methods }

/** Every way into the data plane. */
export function listEndpoints(
  ends: readonly ServerEnd[],
  services: readonly ServiceRoute[] = [],
): readonly { readonly method: string; readonly path: string; readonly endpoint: Endpoint }[] {
  return [
    ...ends.flatMap((end) =>
      end.routes.map(({ method, path, apiVersion }) => {
        const standIn = services.find((route) => route.standsInFor && route.method === method && route.path === path)
        return { method, path, endpoint: { kind: 'inference', end, apiVersion, standIn } as const }
      }),
    ),
    ...lists.map(({ method, path, apiVersion, list }) => ({
      method,
      path,
      endpoint: { kind: 'list', list, apiVersion } as const,
    })),
    ...services
      .filter((route) => !route.standsInFor)
      .map((route) => ({
        method: route.method,
        path: route.path,
        endpoint: { kind: 'service', route, apiVersion: route.apiVersion } as const,
      })),
  ]
}

/** The routes of the data plane, made from the wires and from what the stateful APIs bring. A path without parameters wins over one with. */
export function createRoutes(
  ends: readonly ServerEnd[],
  services: readonly ServiceRoute[] = [],
): (method: string, path: string) => Match {
  const fixed = new Map<string, Methods>()
  const patterns = new Map<string, Pattern>()

  const add = (method: string, path: string, endpoint: Endpoint): void => {
    const names: string[] = []
    const segments = path.split('/').map((segment) => {
      if (!segment.startsWith('{')) return segment
      const end = segment.indexOf('}')
      names.push(segment.slice(1, end))
      return { verb: segment.slice(end + 1) }
    })
    const key = path.replace(/\{.*?\}/g, '{}')
    const methods: Methods = (names.length === 0 ? fixed.get(path) : patterns.get(key)?.methods) ?? new Map()
    methods.set(method, { endpoint, names })
    if (names.length === 0) fixed.set(path, methods)
    else patterns.set(key, { segments, methods })
  }
  for (const { method, path, endpoint } of listEndpoints(ends, services)) add(method, path, endpoint)
  // A parameter of another pattern would take the verb for a part of its value.
  const ordered = [...patterns.values()].sort((a, b) => countVerbs(b) - countVerbs(a))

  return (method, rawPath) => {
    const path = normalisePath(rawPath)
    const methods = fixed.get(path)
    if (methods) return pick(methods, method, [])
    const parts = path.split('/')
    for (const { segments, methods } of ordered) {
      const values = matchSegments(segments, parts)
      if (values) return pick(methods, method, values)
    }
    return { found: 'nothing' }
  }
}

function countVerbs({ segments }: Pattern): number {
  return segments.filter((segment) => typeof segment !== 'string' && segment.verb !== '').length
}

/** What stands in the places of the parameters; undefined when the path is another. */
function matchSegments(segments: Pattern['segments'], parts: readonly string[]): readonly string[] | undefined {
  if (segments.length !== parts.length) return undefined
  const values: string[] = []
  for (let i = 0; i < parts.length; i++) {
    const [segment, part] = [segments[i], parts[i] as string]
    if (typeof segment === 'string' || segment === undefined) {
      if (segment !== part) return undefined
    } else if (segment.verb === '') values.push(part)
    else if (part.length > segment.verb.length && part.endsWith(segment.verb)) {
      values.push(part.slice(0, -segment.verb.length))
    } else return undefined
  }
  return values
}

const noParams: PathParams = {}

function pick(methods: Methods, method: string, values: readonly string[]): Match {
  const found = methods.get(method)
  if (!found) return { found: 'other-methods', allow: [...methods.keys(), 'OPTIONS'].join(', ') }
  const { endpoint, names } = found
  if (names.length === 0) return { found: 'endpoint', endpoint, params: noParams }
  const params = Object.fromEntries(names.map((name, i) => [name, decodeSegment(values[i] as string)]))
  return { found: 'endpoint', endpoint, params }
}

/** Doubled and trailing slashes are mended in place: clients that carry an `api-key` do not follow a redirect. */
function normalisePath(path: string): string {
  const single = path.includes('//') ? path.replace(/\/{2,}/g, '/') : path
  return single.length > 1 && single.endsWith('/') ? single.slice(0, -1) : single
}

/** Decoded once; what is no valid escape is taken literally. */
function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
