import type { ServerEnd, ServerRoute } from '../wire/wire.ts'

/** Lists and descriptions that are read from the Snapshot; no model is asked. */
export type ListName = 'info' | 'deployments' | 'base-models' | 'v1-models' | 'v1-model'

export type Endpoint = { readonly apiVersion: ServerRoute['apiVersion'] } & (
  | { readonly kind: 'inference'; readonly end: ServerEnd }
  | { readonly kind: 'list'; readonly list: ListName }
)

export type Match =
  | { readonly found: 'endpoint'; readonly endpoint: Endpoint; readonly param: string | undefined }
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

type Methods = Map<string, Endpoint>

/** The routes of the data plane, made from the wires. A pattern holds at most one parameter, which is one path segment. */
export function createRoutes(ends: readonly ServerEnd[]): (method: string, path: string) => Match {
  const fixed = new Map<string, Methods>()
  const patterns: { readonly before: string; readonly after: string; readonly methods: Methods }[] = []

  const methodsOf = (path: string): Methods => {
    const open = path.indexOf('{')
    if (open === -1) {
      const methods = fixed.get(path) ?? new Map()
      fixed.set(path, methods)
      return methods
    }
    const before = path.slice(0, open)
    const after = path.slice(path.indexOf('}') + 1)
    const existing = patterns.find((pattern) => pattern.before === before && pattern.after === after)
    if (existing) return existing.methods
    const methods: Methods = new Map()
    patterns.push({ before, after, methods })
    return methods
  }
  for (const end of ends) {
    for (const { method, path, apiVersion } of end.routes)
      methodsOf(path).set(method, { kind: 'inference', end, apiVersion })
  }
  for (const { method, path, apiVersion, list } of lists)
    methodsOf(path).set(method, { kind: 'list', list, apiVersion })

  return (method, rawPath) => {
    const path = normalisePath(rawPath)
    const methods = fixed.get(path)
    if (methods) return pick(methods, method, undefined)
    for (const { before, after, methods } of patterns) {
      if (!path.startsWith(before) || !path.endsWith(after)) continue
      const param = path.slice(before.length, path.length - after.length)
      if (param !== '' && !param.includes('/')) return pick(methods, method, decodeSegment(param))
    }
    return { found: 'nothing' }
  }
}

function pick(methods: Methods, method: string, param: string | undefined): Match {
  const endpoint = methods.get(method)
  if (endpoint) return { found: 'endpoint', endpoint, param }
  return { found: 'other-methods', allow: [...methods.keys(), 'OPTIONS'].join(', ') }
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
