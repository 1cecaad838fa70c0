import type { Route } from '../core/deployment.ts'

/**
 * The order in which the routes of a deployment are tried: by priority, and within one by a weighted draw without replacement.
 * `routes` are sorted by priority; `random` gives [0, 1).
 */
export function orderRoutes(routes: readonly Route[], random: () => number): readonly Route[] {
  if (routes.length < 2) return routes
  const ordered: Route[] = []
  for (let from = 0; from < routes.length; ) {
    const { priority } = routes[from] as Route
    let to = from
    while (to < routes.length && routes[to]?.priority === priority) to++
    const group = routes.slice(from, to)
    while (group.length > 0) ordered.push(...group.splice(draw(group, random), 1))
    from = to
  }
  return ordered
}

function draw(group: readonly Route[], random: () => number): number {
  let total = 0
  for (const route of group) total += route.weight
  let point = random() * total
  for (let i = 0; i < group.length; i++) {
    point -= (group[i] as Route).weight
    if (point < 0) return i
  }
  return group.length - 1
}
