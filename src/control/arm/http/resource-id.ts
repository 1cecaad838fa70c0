import type { ResourceSpec } from '../../../core/resource.ts'
import { provider } from './arm-route.ts'

type Place = Pick<ResourceSpec, 'name' | 'subscriptionId' | 'resourceGroup'>

/** `/subscriptions/.../accounts/NAME` */
export function accountId({ name, subscriptionId, resourceGroup }: Place): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/${provider}/accounts/${name}`
}

/** When something was made and changed last, both in ISO 8601, as resources show it. */
export function systemData(createdAt: string, updatedAt: string): object {
  return { createdAt, lastModifiedAt: updatedAt }
}

/** What every resource below an account begins with. `type` is `deployments`. */
export function childHead(
  account: Place,
  type: string,
  { name, etag, createdAt, updatedAt }: Readonly<Record<'name' | 'etag' | 'createdAt' | 'updatedAt', string>>,
): object {
  return {
    id: `${accountId(account)}/${type}/${name}`,
    name,
    type: `${provider}/accounts/${type.replace(/\/[^/]+\//g, '/')}`,
    etag: `"${etag}"`,
    systemData: systemData(createdAt, updatedAt),
  }
}
