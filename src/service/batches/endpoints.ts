import { Fault } from '../../core/fault.ts'

export type BatchKind = 'chat' | 'completion' | 'embed'

/** An operation that lines can ask for; `path` is without the version. */
export type BatchEndpoint = { readonly path: string; readonly kind: BatchKind }

const endpoints: readonly BatchEndpoint[] = [
  { path: '/chat/completions', kind: 'chat' },
  { path: '/completions', kind: 'completion' },
  { path: '/embeddings', kind: 'embed' },
]

/** With or without `/v1`: callers of either surface write the one or the other. */
export function findEndpoint(url: string): BatchEndpoint | undefined {
  const path = url.startsWith('/v1/') ? url.slice('/v1'.length) : url
  return endpoints.find((endpoint) => endpoint.path === path)
}

/** Throws Fault `invalid-request`. */
export function readEndpoint(url: string): BatchEndpoint {
  const found = findEndpoint(url)
  if (found) return found
  const all = endpoints.map(({ path }) => `"${path}", "/v1${path}"`).join(', ')
  const why = /^(\/v1)?\/responses$/.test(url) ? 'batches of responses are not offered yet; ' : ''
  throw new Fault(
    'invalid-request',
    `Invalid value for 'endpoint': ${why}got ${JSON.stringify(url.slice(0, 64))}, expected one of ${all}.`,
    { param: 'endpoint' },
  )
}
