import type { Places } from '../../core/deployment.ts'
import type { ResourceId } from '../../core/resource.ts'
import { createPlaces } from '../../route/places.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import { planShares } from './shares.ts'

/** The places at all backends, which the deployments of all resources share. */
export type PlaceBook = {
  /** Those of a backend. Calls that run keep their places: what is counted outlives the configuration. */
  open(key: string): Places
  /** Keeps for the deployments of a resource what they have reserved, in place of what was kept for those it had. */
  share(resource: ResourceId, specs: readonly DeploymentSpec[]): void
}

export function createPlaceBook(): PlaceBook {
  const places = new Map<string, Places>()
  const ofResources = new Map<ResourceId, readonly DeploymentSpec[]>()
  return {
    open(key) {
      const known = places.get(key) ?? createPlaces()
      places.set(key, known)
      return known
    },
    share(resource, specs) {
      if (specs.length > 0) ofResources.set(resource, specs)
      else ofResources.delete(resource)
      const planned = planShares(
        [...ofResources].flatMap(([id, all]) => (id === '' ? all : all.map((spec) => ({ ...spec, resource: id })))),
      )
      for (const [key, { configure }] of places) {
        const plan = planned.get(key)
        configure(plan?.limit, plan?.shares ?? new Map())
      }
    },
  }
}
