import { type Deployment, deploymentKey } from '../core/deployment.ts'
import { ownResource, type ResourceId, type ResourceProperties } from '../core/resource.ts'
import type { KeyRing } from '../policy/authenticate.ts'
import { type Filters, noFilters } from './filter/filters.ts'

/**
 * The compiled configuration of a resource that the data plane reads: immutable, taken once per request, swapped as a whole. Nothing on
 * the request path asks a database.
 */
export type Snapshot = {
  readonly resource: SnapshotResource
  readonly keys: KeyRing
  /** By `deploymentKey` of the name. */
  readonly deployments: ReadonlyMap<string, Deployment>
  readonly filters: Filters
}

/** What the data plane has to know of the resource itself. */
export type SnapshotResource = {
  readonly id: ResourceId
  readonly name: string
  readonly properties: ResourceProperties
}

export const emptySnapshot: Snapshot = {
  resource: { id: ownResource, name: '', properties: {} },
  keys: new Map(),
  deployments: new Map(),
  filters: noFilters,
}

/** The deployment of that name, without regard to case. */
export function findDeployment(snapshot: Snapshot, name: string): Deployment | undefined {
  return snapshot.deployments.get(deploymentKey(name))
}
