import type { Explanation, FilterResults } from '../core/filter/results.ts'
import type { CatalogModel } from '../snapshot/catalog/catalog.ts'
import type { BackendSpec, DeploymentSpec } from '../snapshot/deployment-spec.ts'
import type { EngineDocument } from '../snapshot/filter/engine-spec.ts'
import type { PolicySpec } from '../snapshot/filter/policy-spec.ts'
import type { ResolvedFilter } from '../snapshot/filter/resolve-policy.ts'
import type { TopicSpec } from '../snapshot/filter/topic-spec.ts'
import type { NamedKeySpec } from '../snapshot/keys/named-key.ts'

/**
 * The management API, under `/management` on the same listener as the data plane. JSON in and out.
 * A credential is written as `{"value"}` or `{"env"}`. `{"stored":true}`, as it is shown, keeps the one that is stored for the same
 * scheme, host and port; leaving it out keeps that of the same URL; null removes it. Several backends with one URL keep theirs in order.
 *
 * Credential: `Authorization: Bearer <management credential>`; a resource key gets 403, anything else 401.
 * Errors: `{"error":{"code","message","target"?,"details"?:[{"code","message","target"}]}}`.
 *
 * GET    /management/status                      -> Status
 * GET    /management/keys                        -> { value: KeyView[] }
 * POST   /management/keys/{key1|key2}/regenerate -> KeyView
 * GET    /management/named-keys                  -> { value: NamedKeyView[] }
 * GET    /management/named-keys/{name}           -> NamedKeyView
 * PUT    /management/named-keys/{name}           NamedKeyInput without name -> 200 | 201 NamedKeyView, with the secret when it is new (If-Match, If-None-Match: *)
 * PATCH  /management/named-keys/{name}           JSON merge patch -> NamedKeyView (If-Match)
 * DELETE /management/named-keys/{name}           -> 204 (If-Match)
 * POST   /management/named-keys/{name}/rotate    { "overlapSeconds"?: 0 } -> NamedKeyView with the new secret; the old one goes on for that long
 * POST   /management/named-keys/{name}/revoke    -> NamedKeyView; final, and from the answer on the key opens nothing
 * GET    /management/models                      -> { value: ModelView[] }
 * GET    /management/models/{name}               -> { value: ModelView[] }, its versions, the default one first
 * GET    /management/quota                       -> { value: QuotaView[] }
 * GET    /management/quota/{name}                -> QuotaView; the name is SKU, SKU.MODEL or PUBLISHER.SKU.MODEL, in any case
 * PUT    /management/quota/{name}                { limit } -> 200 | 201 QuotaView
 * DELETE /management/quota/{name}                -> 204; 404 when there is none
 * GET    /management/deployments                 -> { value: DeploymentView[] }
 * GET    /management/deployments/{name}          -> DeploymentView
 * PUT    /management/deployments/{name}          DeploymentInput without name -> 200 | 201 DeploymentView (If-Match, If-None-Match: *)
 * PATCH  /management/deployments/{name}          JSON merge patch (RFC 7396) -> DeploymentView (If-Match)
 * DELETE /management/deployments/{name}          -> 204; 404 when there is none (If-Match)
 * GET    /management/deployments/{name}/probe    -> { value: ProbeView[] }
 * POST   /management/deployments/{name}/pause    -> DeploymentView; inference gets 423 until it is resumed
 * POST   /management/deployments/{name}/resume   -> DeploymentView
 * GET    /management/deployments/{name}/upgrade  -> UpgradePreview: what the version upgrade option will do
 * GET    /management/rai-policies                -> { value: PolicyView[] }, without protected texts
 * GET    /management/rai-policies/{name}         -> PolicyView
 * PUT    /management/rai-policies/{name}         PolicyInput without name -> 200 | 201 PolicyView (If-Match, If-None-Match: *)
 * DELETE /management/rai-policies/{name}         -> 204; 409 while a deployment has it (If-Match)
 * GET    /management/rai-blocklists              -> { value: BlocklistView[] }
 * GET    /management/rai-blocklists/{name}       -> BlocklistView
 * PUT    /management/rai-blocklists/{name}       BlocklistInput without name -> 200 | 201 BlocklistView; `items` and `terms` replace all items, without them they stay (If-Match, If-None-Match: *)
 * DELETE /management/rai-blocklists/{name}       -> 204, with its items; 409 while a policy has it (If-Match)
 * GET    /management/rai-blocklists/{name}/items ?top=100&after=NAME -> { count, value: BlocklistItem[], nextLink? }, by name
 * POST   /management/rai-blocklists/{name}/items [{ name?, pattern, isRegex? }] -> ItemsChanged; adds, or replaces those of the name (If-Match)
 * POST   /management/rai-blocklists/{name}/items/delete ["name"] -> ItemsChanged; names that are not there do no harm (If-Match)
 * GET    /management/rai-blocklists/{name}/items/{item} -> BlocklistItem
 * PUT    /management/rai-blocklists/{name}/items/{item} { pattern, isRegex? } -> 200 | 201 BlocklistItem (If-Match: of the list)
 * DELETE /management/rai-blocklists/{name}/items/{item} -> 204 (If-Match: of the list)
 * GET    /management/rai-topics, /management/rai-topics/{name} -> { value: TopicView[] } | TopicView
 * PUT    /management/rai-topics/{name}           { description, examples? } -> 200 | 201 TopicView (If-Match, If-None-Match: *)
 * DELETE /management/rai-topics/{name}           -> 204; 409 while a policy has it (If-Match)
 * GET    /management/filter-engines, /management/filter-engines/{name} -> { value: EngineView[] } | EngineView
 * PUT    /management/filter-engines/{name}       EngineInput without name -> 200 | 201 EngineView (If-Match, If-None-Match: *)
 * DELETE /management/filter-engines/{name}       -> 204; 409 while a policy has it (If-Match)
 * GET    /management/filter-engines/{name}/probe -> EngineProbe: it is asked about a harmless text
 * GET    /management/filters                     -> FilterChoices: everything that may stand in a policy
 * POST   /management/filters/analyze             { policy?, lines: [{ text, source?: Prompt | Completion, prompt?, documents? }] }
 *                                                -> { policy, builtin, value: AnalyzedLine[] }, a line each
 * GET    /management/usage                       ?from&to&groupBy=hour|day|month|deployment|model|key,...&deployment&key
 *                                                -> { from, to, value: UsageView[] }; the last 24 hours in one row when nothing is asked
 * GET    /management/budgets                     -> { value: BudgetView[] }
 *
 * `?dryRun=true` on PUT, PATCH, DELETE, pause and resume, and on items of blocklists: everything is judged, nothing is written, and no secret is made. Where a secret is
 * made or ended (rotate, revoke, regenerate) it is refused.
 */

export type KeyView = { readonly name: 'key1' | 'key2'; readonly value: string; readonly createdAt: string }

/** A key beside the resource's two. */
export type NamedKeyView = NamedKeySpec & {
  /** In the answer that made it, and never again. */
  readonly secret?: string
  readonly status: 'active' | 'expired' | 'revoked'
  /** While the secret before this one is still taken. */
  readonly previousSecretEndsAt?: string
  readonly revokedAt?: string
  readonly etag: string
  readonly createdAt: string
  readonly updatedAt: string
}

/** What the outside sees of a credential: that there is one, and where it comes from. Never the secret. */
export type CredentialView = { readonly env: string } | { readonly stored: true }

export type BackendView = Omit<BackendSpec, 'credential'> & { readonly credential?: CredentialView }

export type DeploymentView = Omit<DeploymentSpec, 'backends'> & {
  readonly backends?: readonly BackendView[]
  /** The version that is served now, which the upgrade option may have moved from `model.version`. */
  readonly servedVersion?: string
  /** What capacity and `rateLimits` come to; absent without limits. */
  readonly effectiveLimits?: LimitsView
  readonly lifecycle?: LifecycleView
  /** The content filter policy of its calls: `raiPolicyName`, or the server's default. */
  readonly effectiveRaiPolicyName?: string
  /** When it ends by itself: deployments of SKU DeveloperTier only. */
  readonly expiresAt?: string
  readonly etag: string
  /** Where it is declared: made by API or CLI, or in the configuration file (then read-only here). */
  readonly source: { readonly kind: 'stored' } | { readonly kind: 'file'; readonly file: string; readonly line: number }
  readonly createdAt: string
  readonly updatedAt: string
}

export type LimitsView =
  | {
      readonly kind: 'rate'
      /** `renewalPeriod` is seconds. */
      readonly rateLimits: readonly {
        readonly key: 'request' | 'token'
        readonly renewalPeriod: number
        readonly count: number
      }[]
      readonly tokenAccounting: 'settle' | 'estimate'
      readonly borrowableTokensPerMinute?: number
    }
  | {
      readonly kind: 'provisioned'
      readonly inputTokensPerMinute: number
      readonly outputWeight: number
      readonly concurrency?: number
    }
  | { readonly kind: 'enqueued'; readonly tokens: number }

export type LifecycleView = {
  readonly status: string
  readonly retiresAt?: string
  readonly replacement?: { readonly name: string; readonly version: string }
}

/** A version of a model. Numbers of capacity are units. */
export type ModelView = Omit<CatalogModel, 'lifecycle' | 'description'> & {
  readonly description: string
  readonly lifecycle: LifecycleView
  /** Names of the deployments that serve it now. */
  readonly deployments: readonly string[]
}

/** A quota pool: how much the deployments of a model and SKU may have together. All numbers are units of capacity. */
export type QuotaView = {
  readonly name: string
  /** Absent: any publisher. */
  readonly format?: string
  /** Absent: all models together. */
  readonly model?: string
  readonly sku: string
  /** What a unit is, in Azure's words. */
  readonly unit: string
  readonly limit: number
  /** More than `limit` after that was lowered. */
  readonly used: number
  readonly available: number
  readonly deployments: readonly { readonly name: string; readonly capacity: number }[]
  /** Made by API or CLI, or declared in the configuration file (then read-only here). */
  readonly source: { readonly kind: 'stored' } | { readonly kind: 'file'; readonly file: string }
}

/** What was used, for the groups that were asked for. Tokens; `cost` in the currency of the prices. */
export type UsageView = {
  /** The start of the hour (ISO 8601), the day or the month, in UTC. */
  readonly hour?: string
  readonly day?: string
  readonly month?: string
  readonly deployment?: string
  readonly model?: string
  readonly key?: string
  readonly requests: number
  readonly failed: number
  /** By limits and budgets. */
  readonly refused: number
  /** Requests whose tokens nobody counted, so that they are a guess. */
  readonly estimated: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly completionTokens: number
  readonly reasoningTokens: number
  readonly cost: number
}

export type BudgetView = {
  readonly key: string
  readonly unit: 'tokens' | 'cost'
  readonly period: 'day' | 'month'
  readonly limit: number
  readonly spent: number
  readonly resetsAt: string
}

/** What policies, blocklists, topics and engines have in common. */
export type HeldView = {
  readonly name: string
  readonly etag: string
  /** Made by API or CLI, declared in the configuration file (then read-only here), or one that comes with Ponto. */
  readonly source: DeploymentView['source'] | { readonly kind: 'system' }
  readonly createdAt: string
  readonly updatedAt: string
}

export type PolicyView = HeldView &
  Omit<PolicySpec, 'protectedTexts' | 'protectedCode'> &
  Partial<Pick<PolicySpec, 'protectedTexts' | 'protectedCode'>> & {
    readonly type: 'SystemManaged' | 'UserManaged'
    /** The filters that are on, those of the base policy among them. */
    readonly effectiveFilters: readonly ResolvedFilter[]
    /** Names of the deployments that have it, also by default. */
    readonly deployments: readonly string[]
  }

export type BlocklistView = HeldView & {
  readonly description?: string
  readonly itemCount: number
  /** Names of the policies that have it. */
  readonly policies: readonly string[]
}

export type ItemsChanged = {
  readonly added: number
  readonly changed: number
  readonly removed: number
  /** How many the list has now. */
  readonly count: number
}

export type TopicView = HeldView & TopicSpec & { readonly policies: readonly string[] }

export type EngineView = HeldView &
  Omit<EngineDocument, 'credential'> & {
    readonly credential?: CredentialView
    /** What it can judge, by the names of annotations. */
    readonly categories: readonly string[]
    readonly policies: readonly string[]
  }

export type EngineProbe = { readonly ok: boolean; readonly detail: string; readonly ms: number }

/** `name` of a category is as annotations write it, `title` as policies do. */
export type FilterChoices = {
  readonly categories: readonly {
    readonly name: string
    readonly title: string
    readonly kind: 'severity' | 'binary' | 'list'
    readonly sources: readonly string[]
  }[]
  readonly sources: readonly string[]
  readonly severityThresholds: readonly string[]
  readonly modes: readonly string[]
  readonly actions: readonly string[]
  readonly combine: readonly string[]
  readonly onError: readonly string[]
  readonly piiActions: readonly string[]
  readonly piiTypes: readonly { readonly type: string; readonly group: string; readonly describes: string }[]
  readonly engines: readonly { readonly name: string; readonly categories: readonly string[] }[]
  /** What an engine of each kind needs and takes. */
  readonly engineKinds: Readonly<Record<string, object>>
  readonly guardProfiles: Readonly<Record<string, object>>
  readonly policies: readonly string[]
  readonly defaultPolicy: string
  readonly blocklists: readonly string[]
  readonly topics: readonly string[]
}

/** What a policy makes of a line, or why it could not be judged. */
export type AnalyzedLine =
  | {
      readonly filtered: boolean
      readonly results: FilterResults
      readonly explanations: readonly Explanation[]
    }
  | ErrorBody

export type ProbeView = { readonly backend: string; readonly ok: boolean; readonly detail: string }

export type Status = {
  readonly name: string
  readonly version: string
  readonly pid: number
  readonly startedAt: string
  readonly endpoints: readonly string[]
  readonly dataFolder: string
  readonly configFile?: { readonly path: string; readonly error?: string }
  readonly engine: { readonly state: string; readonly detail: string }
  readonly deployments: number
  /** What an operator should know and no request failed for. */
  readonly warnings: readonly string[]
}

export type ErrorBody = {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly target?: string
    readonly details?: readonly { readonly code: string; readonly message: string; readonly target?: string }[]
  }
}
