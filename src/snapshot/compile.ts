import { createHash } from 'node:crypto'
import { createHttpBackend } from '../backend/http-backend.ts'
import { takesTokenIds, withTextInputs } from '../backend/tokens/text-inputs.ts'
import type { Timeouts, Transport } from '../backend/transport/transport.ts'
import { type CallKind, passKinds } from '../core/call.ts'
import { type Deployment, deploymentKey, type ModelType, modelTypes, type Route } from '../core/deployment.ts'
import { Fault } from '../core/fault.ts'
import type { Backend } from '../core/reply.ts'
import type { KeyRing } from '../policy/authenticate.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { BackendSpec, DeploymentSpec } from './deployment-spec.ts'
import type { DesiredDeployment } from './desired-state.ts'
import { type Filters, noFilters } from './filter/filters.ts'
import { emptyPolicyName } from './filter/policy-spec.ts'
import type { PoolShare } from './plan/limits.ts'
import { createPlaceBook, type PlaceBook } from './plan/place-book.ts'
import { planDeployment } from './plan/plan-deployment.ts'
import { builtinPlacesKey, placesKey } from './plan/shares.ts'
import { type Outbound, outboundOf, requireReachable } from './resources/outbound.ts'
import { emptySnapshot, type Snapshot, type SnapshotResource } from './snapshot.ts'

export type CompilerOptions = {
  /** The embedded engine that runs the model of that name. */
  findBuiltin(modelName: string): Backend | undefined
  openTransport(origin: URL, timeouts: Timeouts): Transport
  /** The secret a backend is called with, if it has one. Throws a Fault when it cannot be had. */
  readCredential(deployment: string, backend: BackendSpec): string | undefined
  /** The models that are known now. */
  readonly catalog: () => Catalog
  /** The quota pool that the deployment may borrow from, if it may. */
  readonly poolOf: (spec: DeploymentSpec) => PoolShare | undefined
  /** The content filter policy of deployments that name none; one that filters nothing when absent. */
  readonly defaultPolicy?: string | undefined
  /** The compiled content filter policies. */
  readonly filters?: (() => Filters) | undefined
  /** Whose deployments they are; the server's own resource when absent. */
  readonly resource?: (() => SnapshotResource) | undefined
  /** The places at backends, where deployments of other resources have theirs too. */
  readonly places?: PlaceBook | undefined
  /** Unix milliseconds. */
  readonly now: () => number
}

/** A deployment and, in unix milliseconds, when it was made. */
type Desired = Pick<DesiredDeployment, 'spec' | 'createdAt'>

export type Compiler = {
  compile(desired: readonly Desired[], keys: KeyRing): Snapshot
  /** When what was compiled last will no longer hold, in unix milliseconds: a version comes to its end. */
  nextChangeAt(): number | undefined
  /** Closes every transport once its calls are done. */
  close(): void
}

type CompiledRoute = Route & { readonly transportKey?: string }

type Compiled = {
  readonly deployment: Deployment
  readonly transportKeys: readonly string[]
  /** What it was made from besides the spec. */
  readonly plan: string
  readonly nextChangeAt: number | undefined
}

/**
 * Turns desired deployments into a Snapshot. What has not changed since the last time is taken over, so that connections and the
 * health of backends outlive a change elsewhere; transports that nothing uses any more are closed once their calls are done.
 */
export function createCompiler(options: CompilerOptions): Compiler {
  const { resource = () => emptySnapshot.resource, places = createPlaceBook() } = options
  const transports = new Map<string, Transport>()
  let compiled = new Map<DeploymentSpec, Compiled>()
  let backends = new Map<string, Backend>()
  let nextChangeAt: number | undefined

  function compile(desired: readonly Desired[], keys: KeyRing): Snapshot {
    const liveCompiled = new Map<DeploymentSpec, Compiled>()
    const liveTransports = new Set<string>()
    const liveBackends = new Map<string, Backend>()
    const deployments = new Map<string, Deployment>()
    for (const item of desired) {
      const entry = compileDeployment(item)
      liveCompiled.set(item.spec, entry)
      for (const key of entry.transportKeys) liveTransports.add(key)
      for (const { backend } of entry.deployment.routes) liveBackends.set(backend.id, backend)
      deployments.set(deploymentKey(item.spec.name), entry.deployment)
    }
    compiled = liveCompiled
    places.share(
      resource().id,
      desired.map(({ spec }) => spec),
    )
    const changes = [...liveCompiled.values()].flatMap((entry) => entry.nextChangeAt ?? [])
    nextChangeAt = changes.length > 0 ? Math.min(...changes) : undefined
    backends = liveBackends
    for (const [key, transport] of transports) {
      if (liveTransports.has(key)) continue
      transports.delete(key)
      transport.close()
    }
    return { resource: resource(), keys, deployments, filters: options.filters?.() ?? noFilters }
  }

  return { compile, nextChangeAt: () => nextChangeAt, close: () => void compile([], new Map()) }

  function compileDeployment({ spec, createdAt }: Desired): Compiled {
    const { nextChangeAt, ...plan } = planDeployment(spec, {
      catalog: options.catalog(),
      now: options.now(),
      createdAt,
      pool: options.poolOf(spec),
    })
    const outbound = outboundOf(resource().properties)
    const planned = JSON.stringify([plan, outbound])
    const before = compiled.get(spec)
    if (before?.plan === planned) return { ...before, nextChangeAt }
    const { version } = plan.model
    const routes: CompiledRoute[] = spec.backends
      ? spec.backends.map((backend) => compileRoute(backend, spec, version, outbound))
      : [
          {
            backend: requireBuiltin(spec),
            places: places.open(builtinPlacesKey(spec.model.name)),
            priority: 0,
            weight: 1,
          },
        ]
    routes.sort((a, b) => a.priority - b.priority)
    const { name } = plan.model
    const deployment: Deployment = {
      name: spec.name,
      resource: resource().id,
      ...plan,
      capture: spec.capture && (spec.capture.prompts || spec.capture.answers) ? spec.capture : undefined,
      filterPolicy: spec.raiPolicyName ?? options.defaultPolicy ?? emptyPolicyName,
      servedModel: name.endsWith(version) ? name : `${name}-${version}`,
      modelType: spec.model.type,
      kinds: offeredKinds(routes, spec.model.type),
      routes: routes.map(({ backend, places, priority, weight }) => ({ backend, places, priority, weight })),
      createdAt: Math.floor(createdAt / 1000),
    }
    return {
      deployment,
      transportKeys: routes.flatMap((route) => route.transportKey ?? []),
      plan: planned,
      nextChangeAt,
    }
  }

  function compileRoute(
    backendSpec: BackendSpec,
    spec: DeploymentSpec,
    version: string,
    outbound: Outbound,
  ): CompiledRoute {
    const { priority, weight, timeouts } = backendSpec
    const url = new URL(backendSpec.url)
    const transportKey = JSON.stringify([url.origin, timeouts])
    let credential: string | undefined
    try {
      requireReachable(url.hostname, outbound)
      credential = options.readCredential(spec.name, backendSpec)
    } catch (error) {
      // The deployment stays in the list and says what is wrong when it is called; the others are not held up.
      return { backend: unusableBackend(backendSpec.url, error), priority, weight }
    }
    const model = backendSpec.model?.replaceAll('{version}', version) ?? spec.model.name
    const takesIds = takesTokenIds(backendSpec.protocol, model, spec.model.name)
    const id = backendId(
      backendSpec,
      [model, takesIds, backendSpec.streamUsage, backendSpec.nativeBatch, backendSpec.chatApis],
      credential,
    )
    let backend = backends.get(id)
    if (!backend) {
      const transport = transports.get(transportKey) ?? options.openTransport(new URL(url.origin), timeouts)
      transports.set(transportKey, transport)
      const http = createHttpBackend({
        id,
        protocol: backendSpec.protocol,
        origin: url.origin,
        basePath: url.pathname,
        apiVersion: backendSpec.apiVersion,
        auth: backendSpec.auth,
        credential,
        model,
        transport,
        streamUsage: backendSpec.streamUsage,
        chatApis: backendSpec.chatApis,
        nativeBatch: backendSpec.nativeBatch,
      })
      backend = takesIds ? http : withTextInputs(http)
      backends.set(id, backend)
    }
    return { backend, places: places.open(placesKey(backendSpec)), priority, weight, transportKey }
  }

  function requireBuiltin(spec: DeploymentSpec): Backend {
    const builtin = options.findBuiltin(spec.model.name)
    if (builtin) return withTextInputs(builtin)
    return unusableBackend(`builtin:${spec.model.name}`, noSuchModel(spec.model.name))
  }
}

function offeredKinds(routes: readonly Route[], type: ModelType | undefined): ReadonlySet<CallKind> {
  const possible = new Set(routes.flatMap(({ backend }) => [...backend.kinds]))
  return type ? new Set(modelTypes[type].filter((kind) => possible.has(kind))) : possible
}

function noSuchModel(name: string): Fault {
  return new Fault(
    'upstream-misconfigured',
    `There is no built-in model '${name}' and the deployment names no backend.`,
  )
}

/** Readable, and different whenever anything about the backend or its use is. The credential only counts through a digest. */
function backendId(spec: BackendSpec, use: readonly unknown[], credential: string | undefined): string {
  const { url, protocol, apiVersion, auth, timeouts } = spec
  const identity = JSON.stringify([url, protocol, apiVersion, auth, timeouts, use, credential])
  return `${url}#${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`
}

const allKinds: ReadonlySet<CallKind> = new Set(['chat', 'completion', 'embed', ...passKinds])

function unusableBackend(id: string, error: unknown): Backend {
  const fault =
    error instanceof Fault ? error : new Fault('upstream-misconfigured', 'The backend cannot be used as configured.')
  return {
    id,
    kinds: allKinds,
    send: () => Promise.reject(fault),
    probe: () => Promise.resolve({ ok: false, detail: fault.message }),
  }
}
