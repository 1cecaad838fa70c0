import { type QueryClient, queryOptions } from '@tanstack/react-query'
import type {
  AuditView,
  DeploymentView,
  KeyView,
  LiveView,
  ModelView,
  NamedKeyView,
  PolicyView,
  QuotaView,
  RequestDocument,
  RequestView,
  Status,
  UsageView,
} from '../../src/control/api.ts'
import type { SessionView } from '../../src/control/portal/api.ts'
import { managementPath, request } from './request.ts'

/** What the pages read. Live numbers are asked for again while somebody looks at them; the rest when it was changed here, or a page is opened. */

type List<T> = { readonly value: readonly T[] }
export type Page<T> = List<T> & { readonly nextLink?: string }

const liveMs = 5_000

const list = <T>(name: string) =>
  queryOptions({
    queryKey: [name],
    queryFn: async () => (await request<List<T>>('GET', managementPath(name))).value,
  })

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: () => request<SessionView>('GET', '/portal/session'),
  retry: false,
  staleTime: Number.POSITIVE_INFINITY,
})

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: () => request<Status>('GET', managementPath('status')),
  refetchInterval: liveMs,
})

export const liveQuery = queryOptions({
  queryKey: ['live'],
  queryFn: async () => (await request<List<LiveView>>('GET', managementPath('live'))).value,
  refetchInterval: liveMs,
})

/** Whether the server takes requests, and why not. */
export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: async () => {
    const answer = await fetch('/health/ready')
    return { isReady: answer.ok, detail: answer.ok ? '' : (await answer.text()).slice(0, 200) }
  },
  refetchInterval: liveMs,
})

export const deploymentsQuery = list<DeploymentView>('deployments')
export const modelsQuery = list<ModelView>('models')
export const quotaQuery = list<QuotaView>('quota')
export const policiesQuery = list<PolicyView>('rai-policies')
export const namedKeysQuery = list<NamedKeyView>('named-keys')

export const deploymentQuery = (name: string) =>
  queryOptions({
    queryKey: ['deployments', name],
    queryFn: () => request<DeploymentView>('GET', managementPath('deployments', name)),
  })

/** Usage since the hour before this one began. */
export const recentUsageQuery = queryOptions({
  queryKey: ['usage', 'recent'],
  queryFn: async () => {
    const hourMs = 3_600_000
    const since = new Date(Math.floor(Date.now() / hourMs) * hourMs - hourMs)
    const { value } = await request<List<UsageView>>('GET', `/management/usage?from=${since.toISOString()}`)
    return { since, usage: value[0] }
  },
  refetchInterval: 15_000,
})

/** Never kept beyond what shows it: they are secrets. */
export async function readKeys(): Promise<readonly KeyView[]> {
  return (await request<List<KeyView>>('GET', managementPath('keys'))).value
}

export type AuditFilter = { readonly action: string; readonly target: string }

export function readAudit({ action, target }: AuditFilter, next: string | undefined): Promise<Page<AuditView>> {
  const query = new URLSearchParams({ top: '50' })
  if (action) query.set('action', action)
  if (target) query.set('target', target)
  return request('GET', next ?? `/management/audit?${query}`)
}

export type RequestsFilter = { readonly deployment: string; readonly status: string; readonly text: string }

export function readRequests(filter: RequestsFilter, next: string | undefined): Promise<Page<RequestDocument>> {
  const query = new URLSearchParams({ top: '50' })
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value)
  return request('GET', next ?? `/management/requests?${query}`)
}

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: ['requests', id],
    queryFn: () => request<RequestView>('GET', managementPath('requests', id)),
  })

/** After something was changed: whatever it may show in is read again. */
export function refresh(client: QueryClient, ...names: readonly string[]): Promise<unknown> {
  return Promise.all(names.map((name) => client.invalidateQueries({ queryKey: [name] })))
}
