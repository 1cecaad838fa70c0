import type { CallKind } from '../../src/core/call.ts'
import { serverEnds } from '../../src/wire/index.ts'

/** In whose shape a route reports errors. */
export type Surface = 'openai' | 'inference' | 'anthropic' | 'rerank' | 'management' | 'plain'

export type FuzzRoute = {
  readonly method: string
  readonly path: string
  readonly surface: Surface
  /** Absent where no model is asked. */
  readonly call?: { readonly wire: string; readonly kind: CallKind; readonly takesForm: boolean } | undefined
  readonly apiVersion: boolean
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

export const otherRoutes: readonly FuzzRoute[] = [
  { method: 'GET', path: '/health/live', surface: 'plain', apiVersion: false },
  { method: 'GET', path: '/health/ready', surface: 'plain', apiVersion: false },
  { method: 'GET', path: '/', surface: 'plain', apiVersion: false },
  { method: 'POST', path: '/openai/v1/chat/completions/{deployment}', surface: 'openai', apiVersion: false },
  { method: 'DELETE', path: '/openai/chat/completions/{deployment}', surface: 'openai', apiVersion: true },
  { method: 'GET', path: '/openai/none', surface: 'openai', apiVersion: false },
]
