import type { AuditTable } from '../port/tables/audit/port.ts'
import { listModels, showModel } from './catalog/models.ts'
import { createQuota, type QuotaOptions } from './catalog/quota.ts'
import { createDeployments, type DeploymentsOptions } from './deployments/deployments.ts'
import { createPolicies, type PoliciesOptions } from './deployments/policies.ts'
import { type AnalyzeOptions, analyze } from './filters/analyze.ts'
import { createFilters, type FiltersOptions } from './filters/filters.ts'
import type { ControlRoute, Handler } from './http/route.ts'
import { createNamedKeys, type NamedKeysOptions } from './keys/named-keys/named-keys.ts'
import { createKeys, type KeysOptions } from './keys/resource-keys.ts'
import { listAudit } from './observe/audit/list-audit.ts'
import { listRequestRoutes, type RequestsOptions } from './observe/requests/routes.ts'
import { type StatusOptions, showStatus } from './observe/status.ts'
import { listBudgets, showUsage, type UsageOptions } from './observe/usage.ts'
import { listWebhooks, testWebhook, type WebhooksOptions } from './observe/webhooks.ts'
import { exportResource } from './transfer/export.ts'
import { importText } from './transfer/import.ts'

export type RoutesOptions = DeploymentsOptions &
  KeysOptions &
  NamedKeysOptions &
  QuotaOptions &
  PoliciesOptions &
  StatusOptions &
  UsageOptions &
  RequestsOptions &
  WebhooksOptions &
  FiltersOptions &
  Omit<AnalyzeOptions, 'listPolicyNames'> & { readonly audit: AuditTable }

type Crud = Readonly<Record<'list' | 'show' | 'put' | 'remove', Handler>>

/** Every route of the management API (api.ts says what each does). */
export function listRoutes(options: RoutesOptions): readonly ControlRoute[] {
  const deployments = createDeployments(options)
  const keys = createKeys(options)
  const namedKeys = createNamedKeys(options)
  const quota = createQuota(options)
  const policies = createPolicies(options)
  return [
    ofServer(route('GET', '/status', 'accounts/read', async () => showStatus(options))),
    route('GET', '/models', 'accounts/models/read', async () => listModels(options)),
    route('GET', '/models/{name}', 'accounts/models/read', async (_request, name) => showModel(options, name)),
    route('GET', '/usage', 'accounts/usages/read', async (request) => showUsage(options, request)),
    route('GET', '/budgets', 'accounts/usages/read', async () => listBudgets(options)),
    ofServer(
      route('GET', '/audit', 'Microsoft.Insights/eventtypes/values/read', async (request) =>
        listAudit(options.audit, request),
      ),
    ),
    ...listRequestRoutes(options),
    ...crud('/quota', 'quotas', quota).map(ofServer),
    route('GET', '/keys', 'accounts/listKeys/action', keys.list),
    route('POST', '/keys/{name}/regenerate', 'accounts/regenerateKey/action', keys.regenerate),
    ...crud('/named-keys', 'accounts/namedKeys', namedKeys),
    route('PATCH', '/named-keys/{name}', 'accounts/namedKeys/write', namedKeys.patch),
    route('POST', '/named-keys/{name}/rotate', 'accounts/namedKeys/rotate/action', namedKeys.rotate),
    route('POST', '/named-keys/{name}/revoke', 'accounts/namedKeys/revoke/action', namedKeys.revoke),
    ...crud('/deployments', 'accounts/deployments', deployments),
    route('PATCH', '/deployments/{name}', 'accounts/deployments/write', deployments.patch),
    route('GET', '/deployments/{name}/probe', 'accounts/deployments/probe/action', deployments.probe),
    route('POST', '/deployments/{name}/pause', 'accounts/deployments/pause/action', deployments.pause),
    route('POST', '/deployments/{name}/resume', 'accounts/deployments/resume/action', deployments.resume),
    route('GET', '/deployments/{name}/upgrade', 'accounts/deployments/read', deployments.upgrade),
    ...crud('/deployment-policies', 'policies', policies).map(ofServer),
    route('POST', '/deployment-policies/test', 'policies/test/action', policies.test),
    ofServer(route('GET', '/webhooks', 'webhooks/read', async () => listWebhooks(options))),
    ofServer(
      route('POST', '/webhooks/{name}/test', 'webhooks/test/action', (request, name) =>
        testWebhook(options, request, name),
      ),
    ),
    ...listFilterRoutes(options),
    route('GET', '/export', 'accounts/read', (request, _name, _item, { forward }) =>
      exportResource(request, options.readStatus().name, forward),
    ),
    route('POST', '/import', 'accounts/deployments/write', (request, _name, _item, { forward }) =>
      importText(request, forward),
    ),
  ]
}

function listFilterRoutes(options: RoutesOptions): readonly ControlRoute[] {
  const { policies, blocklists, topics, engines, items, choices } = createFilters(options)
  const listPolicyNames = () => options.filters.policies.list().map(({ spec }) => spec.name)
  const itemsPath = '/rai-blocklists/{name}/items'
  const itemActions = 'accounts/raiBlocklists/raiBlocklistItems'
  return [
    ...crud('/rai-policies', 'accounts/raiPolicies', policies),
    ...crud('/rai-blocklists', 'accounts/raiBlocklists', blocklists),
    ...crud('/rai-topics', 'accounts/raiTopics', topics),
    ...crud('/filter-engines', 'accounts/raiExternalSafetyProviders', engines),
    route('GET', '/filter-engines/{name}/probe', 'accounts/raiExternalSafetyProviders/probe/action', engines.probe),
    route('GET', itemsPath, `${itemActions}/read`, items.list),
    route('POST', itemsPath, `${itemActions}/write`, items.add),
    route('POST', `${itemsPath}/delete`, `${itemActions}/delete`, items.removeSome),
    route('GET', `${itemsPath}/{item}`, `${itemActions}/read`, items.show),
    route('PUT', `${itemsPath}/{item}`, `${itemActions}/write`, items.put),
    route('DELETE', `${itemsPath}/{item}`, `${itemActions}/delete`, items.remove),
    route('GET', '/filters', 'accounts/raiPolicies/read', async () => choices()),
    route('POST', '/filters/analyze', 'accounts/raiPolicies/analyze/action', async (request) =>
      analyze({ ...options, listPolicyNames }, request),
    ),
  ]
}

function route(method: ControlRoute['method'], path: string, action: string, handle: Handler): ControlRoute {
  return { method, path, action, handle }
}

/** For what is no resource's own. */
function ofServer(route: ControlRoute): ControlRoute {
  return { ...route, scope: 'server' }
}

/** The five ways that every named thing has. `actions` is what its actions begin with. */
function crud(path: string, actions: string, { list, show, put, remove }: Crud): readonly ControlRoute[] {
  return [
    route('GET', path, `${actions}/read`, list),
    route('GET', `${path}/{name}`, `${actions}/read`, show),
    route('PUT', `${path}/{name}`, `${actions}/write`, put),
    route('DELETE', `${path}/{name}`, `${actions}/delete`, remove),
  ]
}
