import { type Lifecycle, type ModelRef, skus } from '../../core/deployment.ts'
import type { Catalog, CatalogModel } from '../catalog/catalog.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'

/** Which version a deployment serves, and until when that holds. Times are unix milliseconds. */
export type VersionPlan = {
  readonly model: ModelRef
  /** The catalog's entry for it; undefined for a model that no entry knows. */
  readonly entry: CatalogModel | undefined
  readonly lifecycle: Lifecycle
  /** When another version may be served, or none. */
  readonly nextChangeAt: number | undefined
}

export const unknownLifecycle: Lifecycle = {
  status: 'GenerallyAvailable',
  retiresAt: undefined,
  replacement: undefined,
}

/**
 * The version that `versionUpgradeOption` leads to now. Only the standard family moves by itself: whoever pays for provisioned capacity
 * decides when its model changes.
 */
export function planVersion(spec: DeploymentSpec, catalog: Catalog, nowMs: number): VersionPlan {
  const { format, name, version } = spec.model
  const pinned = catalog.find(name, version, format)
  const served = pinned ? upgrade(spec, catalog, pinned, nowMs) : undefined
  const entry = served ?? pinned
  const lifecycle = entry?.lifecycle ?? unknownLifecycle
  const retiresAt = lifecycle.retiresAt
  return {
    model: { ...spec.model, version: entry?.version ?? version },
    entry,
    lifecycle: isRetired(lifecycle, nowMs) ? { ...lifecycle, status: 'Deprecated' } : lifecycle,
    nextChangeAt: retiresAt !== undefined && retiresAt > nowMs ? retiresAt : undefined,
  }
}

function upgrade(
  spec: DeploymentSpec,
  catalog: Catalog,
  pinned: CatalogModel,
  nowMs: number,
): CatalogModel | undefined {
  const option = spec.versionUpgradeOption ?? 'OnceCurrentVersionExpired'
  if (option === 'NoAutoUpgrade' || (spec.sku && skus[spec.sku.name].family !== 'standard')) return undefined
  const isOver = isRetired(pinned.lifecycle, nowMs)
  if (option === 'OnceCurrentVersionExpired' && !isOver) return undefined
  const [newest] = catalog.versionsOf(pinned.name, pinned.format)
  if (!newest?.isDefaultVersion || isRetired(newest.lifecycle, nowMs)) return undefined
  return isOver || !isNewer(pinned.version, newest.version) ? newest : undefined
}

/** Whether one version is known to be newer: both are dates. Of others only the catalog says which is to be preferred. */
function isNewer(version: string, other: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}/
  return date.test(version) && date.test(other) && version > other
}

export function isRetired({ status, retiresAt }: Lifecycle, nowMs: number): boolean {
  return status === 'Deprecated' || (retiresAt !== undefined && retiresAt <= nowMs)
}
