import { placeKey, skus } from '../../core/deployment.ts'
import type { ResourceId } from '../../core/resource.ts'
import type { DocumentProblem } from '../../core/text/parse-document.ts'
import { engineSlots } from '../../engine/builtin-models.ts'
import type { BackendSpec, DeploymentSpec } from '../deployment-spec.ts'

/** How many calls a backend takes at once, undefined for any number, and how many of them are kept for which deployment. */
export type BackendShares = { readonly limit: number | undefined; readonly shares: ReadonlyMap<string, number> }

/** What a backend's places are found by: deployments that name the same address share them. */
export function placesKey(backend: BackendSpec): string {
  const { origin, pathname } = new URL(backend.url)
  return origin + pathname.replace(/\/+$/, '')
}

export function builtinPlacesKey(modelName: string): string {
  return `builtin:${modelName.toLowerCase()}`
}

/** A deployment of any resource; those of the server's own say no resource. */
export type PlacedSpec = DeploymentSpec & { readonly resource?: ResourceId | undefined }

/** Of all backends with a limit or a share. The engine has a line of its own, so its slots count only where a share is to be kept. */
export function planShares(specs: readonly PlacedSpec[]): Map<string, BackendShares> {
  const limits = new Map<string, number>()
  const shares = new Map<string, Map<string, number>>()
  for (const spec of specs) {
    for (const backend of spec.backends ?? []) {
      if (backend.maxConcurrency === undefined) continue
      const key = placesKey(backend)
      limits.set(key, Math.min(backend.maxConcurrency, limits.get(key) ?? backend.maxConcurrency))
    }
    const share = shareOf(spec)
    if (share === undefined) continue
    const keys = spec.backends ? spec.backends.map(placesKey) : [builtinPlacesKey(spec.model.name)]
    for (const key of new Set(keys)) {
      if (!spec.backends) limits.set(key, engineSlots)
      const ofBackend = shares.get(key) ?? new Map<string, number>()
      shares.set(key, ofBackend.set(placeKey(spec), share))
    }
  }
  const keys = new Set([...limits.keys(), ...shares.keys()])
  return new Map([...keys].map((key) => [key, { limit: limits.get(key), shares: shares.get(key) ?? new Map() }]))
}

/** Whether what the deployment wants kept for it fits beside what is kept for others. `others` are all but itself. */
export function judgeShares(spec: PlacedSpec, others: readonly PlacedSpec[]): DocumentProblem[] {
  const share = shareOf(spec)
  if (share === undefined) return []
  for (const [key, { limit, shares }] of planShares([...others, spec])) {
    if (limit === undefined || !shares.has(placeKey(spec))) continue
    const all = [...shares.values()].reduce((sum, one) => sum + one, 0)
    if (all <= limit) continue
    const text = `got ${share}, expected at most ${Math.max(0, limit - (all - share))}: ${key} takes ${limit} calls at once, and ${all - share} of them are kept for other deployments`
    return [{ path: ['concurrency'], text }]
  }
  return []
}

function shareOf({ sku, concurrency }: DeploymentSpec): number | undefined {
  return sku && skus[sku.name].family === 'provisioned' ? concurrency : undefined
}
