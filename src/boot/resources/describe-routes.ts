import type { ProbeView, Status } from '../../control/api.ts'
import type { RoutesOptions } from '../../control/routes.ts'
import type { Deployment } from '../../core/deployment.ts'
import { findDeployment } from '../../snapshot/snapshot.ts'
import { probeEngine } from '../filters/probe-engine.ts'
import type { LiveResource } from './live-resource.ts'

/** What the routes of a resource have of that resource. */
type OfResource =
  | 'resource'
  | 'tables'
  | 'state'
  | 'filters'
  | 'capacityRules'
  | 'findCompiled'
  | 'probeDeployment'
  | 'findPlan'
  | 'probeEngine'
  | 'declaredKeys'
  | 'onKeysChanged'
  | 'listNamedKeys'
  | 'onNamedKeysChanged'
  | 'usage'
  | 'readStatus'
  | 'listOwnWarnings'

export type DescribeRoutesParts = {
  /** What the routes of all resources work with. */
  readonly shared: Omit<RoutesOptions, OfResource>
  readonly usage: Omit<RoutesOptions['usage'], 'resource' | 'namedKeys'>
  readStatus(resource: LiveResource): Omit<Status, 'deployments' | 'warnings'>
  /** What an operator should know of the server as a whole. */
  listServerWarnings(): readonly string[]
}

/** Makes the function that says what the management routes of a resource work with. */
export function createDescribeRoutes(parts: DescribeRoutesParts): (resource: LiveResource) => RoutesOptions {
  const { shared, usage, readStatus, listServerWarnings } = parts
  return (resource) => {
    const { id, current, namedKeys } = resource
    const find = (name: string) => findDeployment(current(), name)
    return {
      ...shared,
      resource: id,
      tables: resource.tables,
      state: resource.state,
      filters: resource.filters,
      capacityRules: resource.capacityRules,
      findCompiled: find,
      probeDeployment: (name) => probeDeployment(find(name)),
      findPlan: (name) => current().filters.find(name),
      probeEngine: (engine) => probeEngine(engine, resource.engineParts, performance.now.bind(performance)),
      declaredKeys: resource.declaredKeys,
      onKeysChanged: resource.setResourceKeys,
      listNamedKeys: namedKeys,
      onNamedKeysChanged: resource.setNamedKeys,
      usage: { ...usage, namedKeys, resource: id },
      readStatus: () => readStatus(resource),
      listOwnWarnings: () => [...listServerWarnings(), ...resource.listFilterWarnings()],
    }
  }
}

async function probeDeployment(deployment: Deployment | undefined): Promise<readonly ProbeView[]> {
  const signal = AbortSignal.timeout(10_000)
  return Promise.all(
    (deployment?.routes ?? []).map(async ({ backend }) => ({ backend: backend.id, ...(await backend.probe(signal)) })),
  )
}
