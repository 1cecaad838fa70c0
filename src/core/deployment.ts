import type { CallKind } from './call.ts'
import type { Backend } from './reply.ts'
import { qualify, type ResourceId } from './resource.ts'

export type ModelRef = { readonly format: string; readonly name: string; readonly version: string }

/** What a model is for, and with that the operations of a deployment of it. */
export const modelTypes = {
  chat: ['chat', 'completion'],
  embeddings: ['embed'],
  'image-embeddings': ['image-embed', 'embed'],
  images: ['image', 'image-edit', 'inference-image'],
  audio: ['speech', 'transcribe', 'translate'],
  moderation: ['moderate'],
  rerank: ['rerank'],
} as const satisfies Record<string, readonly CallKind[]>

export type ModelType = keyof typeof modelTypes

/** Gives a place back; a second call does nothing. */
export type Leave = () => void

/**
 * The calls that a backend takes at once. Some of them may belong to deployments that have reserved them; the others share what is left.
 * Who finds none waits, those of lower rank first.
 */
export type Places = {
  /** A place of the deployment's own share, or of what all share. undefined when there is none, or others have waited for longer. */
  take(deployment: string): Leave | undefined
  /**
   * The same, waiting for it. Rejects with Fault `rate-limited` when the line is full or it takes too long, and with `client-gone` when the
   * caller leaves.
   */
  wait(deployment: string, rank: number, signal: AbortSignal): Promise<Leave>
  /** `limit` undefined: as many as come. `shares` are by deployment. Calls that run go on. */
  configure(limit: number | undefined, shares: ReadonlyMap<string, number>): void
}

export type Route = {
  readonly backend: Backend
  /** Of a backend that takes only so many calls at once. */
  readonly places?: Places | undefined
  /** Lower is tried first. */
  readonly priority: number
  /** Share among the routes of the same priority. */
  readonly weight: number
}

/** What a unit of capacity means for the limits. */
export const skus = {
  Standard: { family: 'standard', scope: 'regional' },
  GlobalStandard: { family: 'standard', scope: 'global' },
  DataZoneStandard: { family: 'standard', scope: 'data-zone' },
  DeveloperTier: { family: 'standard', scope: 'global' },
  ProvisionedManaged: { family: 'provisioned', scope: 'regional' },
  GlobalProvisionedManaged: { family: 'provisioned', scope: 'global' },
  DataZoneProvisionedManaged: { family: 'provisioned', scope: 'data-zone' },
  GlobalBatch: { family: 'batch', scope: 'global' },
  DataZoneBatch: { family: 'batch', scope: 'data-zone' },
} as const satisfies Record<string, { readonly family: string; readonly scope: string }>

export type SkuName = keyof typeof skus

export type Sku = { readonly name: SkuName; readonly capacity: number }

/** At most `limit` per `windowMs`. */
export type Rate = { readonly limit: number; readonly windowMs: number }

/**
 * How much a deployment lets through.
 * - `rate`: tokens and requests per window. `settles`: real usage replaces the estimate; else the estimate counts, as with Azure.
 *   `pool`: what it may borrow from when its own tokens are used up (dynamic quota), and the pool's tokens per minute.
 * - `provisioned`: a leaky bucket in units of input tokens that drains by `inputTokensPerMinute`; an output token weighs
 *   `outputWeight` of them. `concurrency`: calls at once.
 * - `enqueued`: tokens that waiting batch work may hold; takes no calls of its own.
 */
export type DeploymentLimits =
  | {
      readonly kind: 'rate'
      readonly tokens: Rate | undefined
      readonly requests: Rate | undefined
      readonly settles: boolean
      readonly pool: { readonly key: string; readonly tokensPerMinute: number } | undefined
    }
  | {
      readonly kind: 'provisioned'
      readonly inputTokensPerMinute: number
      readonly outputWeight: number
      readonly concurrency: number | undefined
    }
  | { readonly kind: 'enqueued'; readonly tokens: number }

/** Money per million tokens and per request, in a currency that is the operator's own affair. */
export type Price = {
  readonly inputPerMillion: number
  readonly cachedInputPerMillion: number
  readonly outputPerMillion: number
  readonly perRequest: number
}

/** Where a model version stands. Times are unix milliseconds. */
export type Lifecycle = {
  readonly status: 'Preview' | 'GenerallyAvailable' | 'Legacy' | 'Deprecating' | 'Deprecated'
  /** When it stops answering. */
  readonly retiresAt: number | undefined
  readonly replacement: { readonly name: string; readonly version: string } | undefined
}

/** What of a deployment's calls is kept in the request log beside the facts: nothing, where there is none. */
export type CaptureRules = {
  readonly prompts: boolean
  readonly answers: boolean
  /** Whether personal data is taken out before anything is written. */
  readonly redact: boolean
  /** Whole days. */
  readonly retentionDays: number
}

export type ServiceTier = 'default' | 'priority'

/** A deployment as the data plane reads it: compiled, immutable. */
export type Deployment = {
  readonly name: string
  /** Whose it is; absent: the server's own resource's. */
  readonly resource?: ResourceId | undefined
  /** With the version that is served now. */
  readonly model: ModelRef
  readonly sku: Sku | undefined
  /** undefined: no limit of its own. */
  readonly limits: DeploymentLimits | undefined
  readonly isPaused: boolean
  readonly lifecycle: Lifecycle
  /** Name of the deployment that takes what this one cannot. */
  readonly spillover: string | undefined
  readonly serviceTier: ServiceTier
  readonly price: Price | undefined
  /** Name of the content filter policy of its calls. */
  readonly filterPolicy: string
  readonly capture: CaptureRules | undefined
  /** Tokens a call may have in all and in its answer, where known. */
  readonly maxContextTokens: number | undefined
  readonly maxOutputTokens: number | undefined
  /** Absent when the operator did not say: then the deployment offers whatever its backends can do. */
  readonly modelType?: ModelType | undefined
  /** The name answers carry in `model`: model name and version, as the vendor writes dated snapshots. */
  readonly servedModel: string
  readonly kinds: ReadonlySet<CallKind>
  /** Sorted by priority. */
  readonly routes: readonly Route[]
  /** Unix seconds. */
  readonly createdAt: number
}

/** The key under which a deployment is found: names match without regard to case. */
export function deploymentKey(name: string): string {
  return name.toLowerCase()
}

/** The same among the deployments of all resources, for what they share: counters, places at a backend. */
export function placeKey({ resource, name }: Pick<Deployment, 'resource' | 'name'>): string {
  return qualify(resource, deploymentKey(name))
}
