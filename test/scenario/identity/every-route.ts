import { createArm } from '../../../src/control/arm/create-arm.ts'
import { listIdentityRoutes } from '../../../src/control/identity/routes.ts'
import { listResourceRoutes } from '../../../src/control/resources/resources.ts'
import { listRoutes } from '../../../src/control/routes.ts'
import { inferenceAction, infoAction } from '../../../src/core/access/data-actions.ts'
import type { CallKind } from '../../../src/core/call.ts'
import { actionOfList } from '../../../src/gateway/admit.ts'
import { type Endpoint, listEndpoints } from '../../../src/gateway/routes.ts'
import { openBatches } from '../../../src/service/batches/open.ts'
import { createBatchStreams } from '../../../src/service/events/batch-streams.ts'
import { openFiles } from '../../../src/service/files/open.ts'
import { openContentSafety } from '../../../src/service/safety/content-safety/open.ts'
import { openModerations } from '../../../src/service/safety/moderations/open.ts'
import { openStoredCompletions } from '../../../src/service/stored-completions/open.ts'
import { serverEnds } from '../../../src/wire/index.ts'

/** Every way into the server, from the tables that it is served by itself. Parts stand in that are never asked: only the tables are read. */

export type DataRoute = {
  readonly method: string
  readonly path: string
  readonly endpoint: Endpoint
  /** The data actions it takes of a model of OpenAI's, and of one of somebody else's. */
  readonly actions: readonly [openai: string, others: string]
  readonly kind: CallKind | undefined
}

export type ManagementRoute = { readonly method: string; readonly path: string; readonly action: string }

/** Anything, and of that anything: for parts whose functions are never called. */
const nothing: unknown = new Proxy(() => nothing, {
  get: (_target, name) => (name === Symbol.toPrimitive ? () => 0 : name === 'then' ? undefined : nothing),
  apply: () => nothing,
})
const any = <T>(): T => nothing as T
/** What is looked at when the table is made. */
const anyArm = <T>(): T =>
  new Proxy(() => nothing, { get: (_target, name) => (name === 'managementCredential' ? 'x' : nothing) }) as T

export function listDataRoutes(): readonly DataRoute[] {
  const services = [
    ...openStoredCompletions(any()).routes,
    ...openContentSafety(any()).routes,
    ...openModerations(any()).routes,
    ...openFiles(any()).routes,
    ...openBatches(any()).routes,
    ...createBatchStreams(any()).routes,
  ]
  return listEndpoints(serverEnds, services).map((one) => {
    const { endpoint } = one
    if (endpoint.kind === 'service')
      return { ...one, actions: [endpoint.route.action, endpoint.route.action], kind: undefined }
    if (endpoint.kind === 'list') {
      const of = (format: string) => (endpoint.list === 'info' ? infoAction(format) : actionOfList(endpoint.list))
      return { ...one, actions: [of('OpenAI'), of('Mistral AI')], kind: undefined }
    }
    const { kind } = endpoint.end
    return { ...one, actions: [inferenceAction(kind, 'OpenAI'), inferenceAction(kind, 'Mistral AI')], kind }
  })
}

/** Below `/management`, and from the root of the host. */
export function listManagementRoutes(): {
  readonly own: readonly ManagementRoute[]
  readonly arm: readonly ManagementRoute[]
} {
  return {
    own: [...listRoutes(any()), ...listIdentityRoutes(any()), ...listResourceRoutes(any())],
    arm: createArm(anyArm()).routes,
  }
}
