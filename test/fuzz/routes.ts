import type { CallKind } from '../../src/core/call.ts'
import { serverEnds } from '../../src/wire/index.ts'
import type { ServiceKind } from './filter/service-bodies.ts'

/** In whose shape a route reports errors. */
export type Surface =
  | 'openai'
  | 'responses'
  | 'inference'
  | 'anthropic'
  | 'rerank'
  | 'management'
  | 'content-safety'
  | 'plain'

export type FuzzRoute = {
  readonly method: string
  readonly path: string
  readonly surface: Surface
  /** Absent where no model is asked. */
  readonly call?: { readonly wire: string; readonly kind: CallKind; readonly takesForm: boolean } | undefined
  readonly apiVersion: boolean
  /** Where the server's own engines are asked. */
  readonly service?: ServiceKind | undefined
}

/** Every inference route there is: taken from the registry, so that a new wire is covered by being in it. */
export const inferenceRoutes: readonly FuzzRoute[] = serverEnds.flatMap((end) =>
  end.routes.map(({ method, path, apiVersion }) => ({
    method,
    path,
    surface: surfaceOf(end.wire, path),
    call: { wire: end.wire, kind: end.kind, takesForm: end.form !== undefined },
    apiVersion: apiVersion === 'required',
  })),
)

function surfaceOf(wire: string, path: string): Surface {
  if (wire === 'rerank') return 'rerank'
  if (wire === 'openai-responses') return 'responses'
  if (path.startsWith('/anthropic')) return 'anthropic'
  return path.startsWith('/openai') ? 'openai' : 'inference'
}

const list = (path: string, apiVersion = true): FuzzRoute => ({
  method: 'GET',
  path,
  surface: path.startsWith('/openai') ? 'openai' : 'inference',
  apiVersion,
})

export const listRoutes: readonly FuzzRoute[] = [
  list('/models/info'),
  list('/info'),
  list('/openai/deployments'),
  list('/openai/models'),
  list('/openai/v1/models', false),
  list('/openai/v1/models/{deployment}', false),
  list('/openai/chat/completions'),
  list('/openai/v1/chat/completions', false),
  list('/openai/v1/chat/completions/{deployment}', false),
  list('/openai/v1/chat/completions/{deployment}/messages', false),
]

const manage = (method: string, path: string): FuzzRoute => ({ method, path, surface: 'management', apiVersion: false })

export const managementRoutes: readonly FuzzRoute[] = [
  manage('GET', '/management/status'),
  manage('GET', '/management/models'),
  manage('GET', '/management/keys'),
  manage('POST', '/management/keys/key2/regenerate'),
  manage('GET', '/management/deployments'),
  manage('GET', '/management/deployments/{mine}'),
  manage('PUT', '/management/deployments/{mine}'),
  manage('PUT', '/management/deployments/{mine}'),
  manage('PATCH', '/management/deployments/{mine}'),
  manage('DELETE', '/management/deployments/{mine}'),
  manage('GET', '/management/deployments/good00-openai/probe'),
]

const safety = (method: string, path: string, service: ServiceKind): FuzzRoute => ({
  method,
  path: `/contentsafety/text${path}`,
  surface: 'content-safety',
  apiVersion: true,
  service,
})

/** The server's own engines, asked for what they find. */
export const serviceRoutes: readonly FuzzRoute[] = [
  safety('POST', ':analyze', 'analyze'),
  safety('POST', ':analyze', 'analyze'),
  safety('POST', ':shieldPrompt', 'shield'),
  safety('POST', ':detectProtectedMaterial', 'protected-text'),
  safety('POST', ':detectProtectedMaterialForCode', 'protected-code'),
  safety('POST', ':detectGroundedness', 'groundedness'),
  safety('GET', '/blocklists', 'none'),
  safety('GET', '/blocklists/{list}', 'none'),
  safety('PATCH', '/blocklists/{list}', 'list'),
  safety('DELETE', '/blocklists/{list}', 'none'),
  safety('POST', '/blocklists/{list}:addOrUpdateBlocklistItems', 'add-items'),
  safety('POST', '/blocklists/{list}:addOrUpdateBlocklistItems', 'add-items'),
  safety('POST', '/blocklists/{list}:removeBlocklistItems', 'remove-items'),
  safety('GET', '/blocklists/{list}/blocklistItems', 'none'),
  safety('GET', '/blocklists/{list}/blocklistItems/{item}', 'none'),
  { method: 'POST', path: '/openai/v1/moderations', surface: 'openai', apiVersion: false, service: 'moderation' },
  { method: 'POST', path: '/openai/moderations', surface: 'openai', apiVersion: true, service: 'moderation' },
]

export const otherRoutes: readonly FuzzRoute[] = [
  { method: 'GET', path: '/health/live', surface: 'plain', apiVersion: false },
  { method: 'GET', path: '/health/ready', surface: 'plain', apiVersion: false },
  { method: 'GET', path: '/', surface: 'plain', apiVersion: false },
  { method: 'POST', path: '/openai/v1/chat/completions/{deployment}', surface: 'openai', apiVersion: false },
  { method: 'DELETE', path: '/openai/chat/completions/{deployment}', surface: 'openai', apiVersion: true },
  { method: 'GET', path: '/openai/none', surface: 'openai', apiVersion: false },
]
