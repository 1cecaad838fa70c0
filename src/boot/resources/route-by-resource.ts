import { Fault } from '../../core/fault.ts'
import type { ServiceRoute } from '../../core/service-route.ts'
import type { LiveResource } from './live-resource.ts'
import type { LiveResources } from './live-resources.ts'

/** Routes whose answers are made of what the caller's resource has. `list` gives the same routes for each resource, in one order. */
export function routeByResource(
  resources: Pick<LiveResources, 'own' | 'get'>,
  list: (resource: LiveResource) => readonly ServiceRoute[],
): readonly ServiceRoute[] {
  const known = new WeakMap<LiveResource, readonly ServiceRoute[]>()
  const routesOf = (resource: LiveResource): readonly ServiceRoute[] => {
    const routes = known.get(resource) ?? list(resource)
    known.set(resource, routes)
    return routes
  }
  return routesOf(resources.own).map((route, index) => ({
    ...route,
    answer(request) {
      const resource = resources.get(request.caller.resource)
      if (!resource) throw new Fault('not-found', 'The resource of this key was deleted.')
      return (routesOf(resource)[index] as ServiceRoute).answer(request)
    },
  }))
}
