import type { RoleDefinition, RoleName } from '../core/access/role-table.ts'
import type { Explanation, FilterResults } from '../core/filter/results.ts'
import type { ResourceSpec } from '../core/resource.ts'
import type { RequestLogState } from '../policy/request-log/request-log.ts'
import type { RequestContent, RequestDocument, RequestTotals } from '../port/requests/port.ts'
import type { CatalogModel } from '../snapshot/catalog/catalog.ts'
import type { BackendSpec, DeploymentSpec } from '../snapshot/deployment-spec.ts'
import type { EngineDocument } from '../snapshot/filter/engine-spec.ts'
import type { PolicySpec } from '../snapshot/filter/policy-spec.ts'
import type { ResolvedFilter } from '../snapshot/filter/resolve-policy.ts'
import type { TopicSpec } from '../snapshot/filter/topic-spec.ts'
import type { NamedKeySpec } from '../snapshot/keys/named-key.ts'
import type { DeploymentPolicy } from '../snapshot/policy/deployment-policy.ts'
import type { Violation } from '../snapshot/policy/judge-deployment.ts'

/**
 * The management API, under `/management` on the same listener as the data plane. JSON in and out.
 * A credential is written as `{"value"}` or `{"env"}`. `{"stored":true}`, as it is shown, keeps the one that is stored for the same
 * scheme, host and port; leaving it out keeps that of the same URL; null removes it. Several backends with one URL keep theirs in order.
 *
 * Credential: `Authorization: Bearer` and the management credential, or a token of a trusted issuer, whose roles then decide (403 otherwise);
 * a resource key gets 403, anything else 401.
 * Errors: `{"error":{"code","message","target"?,"details"?:[{"code","message","target"}]}}`.
 *
 * GET    /management/status                      -> Status
 * GET    /management/resources                   -> { value: ResourceView[] }, the server's own among them
 * GET    /management/resources/{name}            -> ResourceView
 * PUT    /management/resources/{name}            ResourceInput without name -> 200 | 201 ResourceView (If-Match, If-None-Match: *)
 * PATCH  /management/resources/{name}            JSON merge patch -> ResourceView (If-Match)
 * DELETE /management/resources/{name}            -> 204 (If-Match); with all that belongs to it, until it is restored or purged
 * *      /management/resources/{name}/ANY        what /management/ANY is for the server's own resource, for this one
 * GET    /management/deleted-resources           -> { value: ResourceView[] }
 * GET    /management/deleted-resources/{name}    -> ResourceView
 * POST   /management/deleted-resources/{name}/restore -> ResourceView; 403 where its deployments no longer fit into their quota (If-Match)
 * DELETE /management/deleted-resources/{name}    -> 204; purges it, with all that belongs to it (If-Match)
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
 * GET    /management/deployment-policies, /management/deployment-policies/{name} -> { value: DeploymentPolicyView[] } | DeploymentPolicyView
 * PUT    /management/deployment-policies/{name}  DeploymentPolicyInput without name -> 200 | 201 DeploymentPolicyView (If-Match, If-None-Match: *)
 * DELETE /management/deployment-policies/{name}  -> 204 (If-Match)
 * POST   /management/deployment-policies/test    { deployment?, policy? } -> PolicyTest: what all policies, or the one sent along, make of that deployment, or of all there are
 * GET    /management/webhooks                    -> { value: WebhookView[] }, without secrets and paths
 * POST   /management/webhooks/{name}/test        -> WebhookTrial: what came of a signed message about nothing
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
 * GET    /management/service-principals, /management/service-principals/{name} -> { value: ServicePrincipalView[] } | ServicePrincipalView
 * PUT    /management/service-principals/{name}   { roles?: [{ role, resource?, deployment? }], expiresAt? } -> 201 ServicePrincipalView with its secret; 409 when there is one
 * DELETE /management/service-principals/{name}   -> 204, with its roles: tokens it has open nothing any more (If-Match)
 * POST   /management/service-principals/{name}/rotate { overlapSeconds?, expiresAt? } -> ServicePrincipalView with the new secret
 * POST   /management/service-principals/{name}/token  { resource? } -> IssuedTokenView, good for an hour
 * GET    /management/role-assignments, /management/role-assignments/{id} -> { value: RoleAssignmentView[] } | RoleAssignmentView
 * PUT    /management/role-assignments/{guid}     { role, principal | group | servicePrincipal, issuer?, resource?, deployment? } -> 200 | 201 RoleAssignmentView
 * DELETE /management/role-assignments/{id}       -> 204
 * GET    /management/roles                       -> { value: RoleView[] }
 * GET    /management/export                      ?format=yaml|arm|bicep|terraform -> ExportView; no secret is in it
 * POST   /management/import                      { text, parameters?, backends?, existing?: keep | replace } -> ImportView; the text is an ARM template, a list of
 *                                                Azure deployments, a LiteLLM configuration or one of Ponto
 * GET    /management/requests                    ?from&to&resource&deployment&key&status=429|4xx&code&model&operation&minMs&filtered&limited=true|false&text&top=100&after
 *                                                -> { value: RequestDocument[], nextLink? }, the newest first. A page may hold fewer than were asked for: it goes on at nextLink
 * GET    /management/requests/{id}               -> RequestDocument; with `content` where it was captured and one may read it
 * GET    /management/requests/stream             the same filters -> text/event-stream: a RequestDocument for each request that ends, {"dropped": n} for a reader too slow
 * GET    /management/requests/summary            -> RequestLogView
 * GET    /management/live                        -> { value: LiveView[] }: the last minute, by deployment
 * POST   /management/portal/token               -> 201 PortalLinkView (portal/api.ts): a link that signs in to the portal once
 * GET    /management/audit                       ?from&to&actor&action&target&top=100&after -> { value: AuditView[], nextLink? }, the newest first
 *
 * `?dryRun=true` on PUT, PATCH, DELETE, pause and resume, and on items of blocklists: everything is judged, nothing is written, and no secret is made. Where a secret is
 * made or ended (rotate, revoke, regenerate) it is refused.
 */

export type { RequestDocument } from '../port/requests/port.ts'
export type { LiveView } from '../telemetry/live-counts.ts'

export type KeyView = { readonly name: 'key1' | 'key2'; readonly value: string; readonly createdAt: string }

/** A resource and what is known of it; what belongs to it has routes below it. */
export type ResourceView = ResourceSpec & {
  /** Whether it is the server's own, which cannot be deleted. */
  readonly isDefault: boolean
  readonly etag: string
  /** Made by API or CLI, or declared in the configuration file (then read-only here). */
  readonly source: DeploymentView['source']
  readonly createdAt: string
  readonly updatedAt: string
  /** Of deleted ones. */
  readonly deletedAt?: string
}

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
  /** `resource`: of those of another one. */
  readonly deployments: readonly { readonly name: string; readonly resource?: string; readonly capacity: number }[]
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

/** In what a deployment is not as a policy has it. `resource`: where it is, if elsewhere than what was asked. `effect`: whether it would be refused. */
export type PolicyFinding = Violation & { readonly resource?: string; readonly deployment: string }

/** `violations` are of the deployments there are: a policy refuses new ones and changes, and leaves what was there. */
export type DeploymentPolicyView = HeldView & DeploymentPolicy & { readonly violations: readonly PolicyFinding[] }

/** `deployment` is as the defaults of policies complete it, without its backends. */
export type PolicyTest = {
  readonly isAllowed: boolean
  readonly findings: readonly PolicyFinding[]
  readonly deployment?: object
}

/** `hasSecret`: whether the variable holds one that messages can be signed with. */
export type WebhookView = {
  readonly name: string
  /** Scheme, host and port of the address. */
  readonly origin: string
  readonly secret: { readonly env: string }
  readonly hasSecret: boolean
  readonly events: readonly string[]
  readonly owner?: string
}

export type WebhookTrial = {
  readonly messageId: string
  readonly isTaken: boolean
  /** What the receiver answered, and the beginning of what it said. */
  readonly status?: number | undefined
  readonly said: string
  /** Why it was not taken. */
  readonly reason?: string | undefined
  readonly ms: number
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

export type ExportView = {
  readonly format: string
  readonly text: string
  /** What the format cannot say. */
  readonly notes: readonly string[]
}

export type ImportedView = {
  readonly kind: string
  readonly name: string
  /** `kept`: one of the name is there, is another, and stays as it is. */
  readonly result: 'created' | 'replaced' | 'unchanged' | 'kept' | 'failed'
  readonly error?: ErrorBody['error']
}

export type ImportView = {
  /** What the text was taken for. */
  readonly format: string
  /** What was left out, and why. */
  readonly notes: readonly string[]
  readonly value: readonly ImportedView[]
}

/** A change that was made, or refused: who, from where, what. `action` is below `Microsoft.CognitiveServices/`. */
export type AuditView = {
  readonly id: string
  readonly at: string
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string }
  readonly address: string
  readonly action: string
  readonly target: string
  readonly status: number
  /** Of a refusal. */
  readonly code?: string
  /** As the API showed it before and after, without secrets; absent where there was or is nothing, and of keys. */
  readonly before?: unknown
  readonly after?: unknown
  readonly requestId: string
}

/** Where a role holds; the whole server when neither is there. */
export type ScopeView = { readonly resource?: string; readonly deployment?: string }

/** A program that gets tokens from this server. */
export type ServicePrincipalView = {
  readonly name: string
  /** The `client_id` of its requests. */
  readonly appId: string
  readonly objectId: string
  readonly tenantId: string
  readonly status: 'active' | 'expired'
  readonly roles: readonly { readonly id: string; readonly role: RoleName; readonly scope: ScopeView }[]
  /** When its secret ends. */
  readonly expiresAt?: string
  /** While the secret before this one is still taken. */
  readonly previousSecretEndsAt?: string
  readonly etag: string
  readonly createdAt: string
  readonly updatedAt: string
  /** In the answer that made it, and never again. */
  readonly secret?: string
}

export type IssuedTokenView = { readonly token: string; readonly resource: string; readonly expiresAt: string }

export type RoleAssignmentView = {
  /** Of those that are stored. */
  readonly id?: string
  readonly role: RoleName
  readonly scope: ScopeView
  readonly principal?: string
  readonly group?: string
  /** A value of the claim of roles; in the file only. */
  readonly claimedRole?: string
  /** Its name, where it is one of this server. */
  readonly servicePrincipal?: string
  readonly issuer: string
  readonly source: { readonly kind: 'stored' | 'file' }
  readonly createdAt?: string
}

export type RoleView = RoleDefinition & { readonly name: RoleName }

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
  /** Absent where no requests are kept. */
  readonly requestLog?: RequestLogState
  readonly deployments: number
  /** What an operator should know and no request failed for. */
  readonly warnings: readonly string[]
}

/** The request log: how much it holds, and how its writing is going. */
export type RequestLogView = RequestLogState & Omit<RequestTotals, 'oldestAt'> & { readonly oldest?: string }

/** What was said in a request, where its deployment captures it. */
export type RequestContentView = Omit<RequestContent, 'id' | 'expiresAt'> & { readonly expiresAt: string }

export type RequestView = RequestDocument & {
  readonly content?: RequestContentView
  /** It was captured, but whoever asks may not read it. */
  readonly isContentWithheld?: true
}

export type ErrorBody = {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly target?: string
    readonly details?: readonly { readonly code: string; readonly message: string; readonly target?: string }[]
  }
}
