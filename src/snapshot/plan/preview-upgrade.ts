import { skus } from '../../core/deployment.ts'
import type { Catalog, CatalogModel } from '../catalog/catalog.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import { isRetired, planVersion } from './version.ts'

/** What the version upgrade option will do to a deployment, and what is then different. */
export type UpgradePreview = {
  readonly servedVersion: string
  readonly defaultVersion?: string
  /** What is served next, by itself; absent when nothing will be. */
  readonly next?: Upgrade & {
    /** ISO 8601. */
    readonly at: string
  }
  /** The default version, where only the operator can move to it. */
  readonly byHand?: Upgrade
  readonly note: string
}

type Upgrade = {
  readonly version: string
  /** What the deployment has now and would not have then. */
  readonly losses: readonly string[]
}

export function previewUpgrade(spec: DeploymentSpec, catalog: Catalog, nowMs: number): UpgradePreview {
  const { model, entry, lifecycle } = planVersion(spec, catalog, nowMs)
  const [newest] = catalog.versionsOf(spec.model.name, spec.model.format)
  const known = { servedVersion: model.version, ...(newest?.isDefaultVersion && { defaultVersion: newest.version }) }
  if (!entry || !newest)
    return { ...known, note: 'No entry of the catalog knows this model, so its version never changes by itself.' }
  const { retiresAt } = lifecycle
  const isNewer = newest.isDefaultVersion && newest.version !== model.version && !isRetired(newest.lifecycle, nowMs)
  const upgrade: Upgrade | undefined = isNewer
    ? { version: newest.version, losses: lossesOf(spec, entry, newest) }
    : undefined
  if (retiresAt === undefined || isRetired(lifecycle, nowMs)) {
    const why = isRetired(lifecycle, nowMs) ? 'The version is retired, and calls are refused with 410.' : ''
    if (!upgrade) return { ...known, note: why || 'There is no newer version than the one that is served.' }
    return { ...known, byHand: upgrade, note: why || describeStay(spec, newest) }
  }
  const at = new Date(retiresAt).toISOString()
  const then = planVersion(spec, catalog, retiresAt)
  if (then.model.version === model.version || !then.entry || isRetired(then.lifecycle, retiresAt)) {
    return {
      ...known,
      ...(upgrade && { byHand: upgrade }),
      note: `The version is retired on ${at.slice(0, 10)}, and calls are refused with 410 from then on.`,
    }
  }
  return {
    ...known,
    next: { version: then.model.version, at, losses: lossesOf(spec, entry, then.entry) },
    note: `Version ${then.model.version} is served from ${at.slice(0, 10)} on.`,
  }
}

/** Why a version without an end stays, though there is a newer one. */
function describeStay({ sku, versionUpgradeOption }: DeploymentSpec, { version }: CatalogModel): string {
  const head = `Version ${version} is the default.`
  if (sku && skus[sku.name].family !== 'standard') {
    return `${head} A deployment of SKU ${sku.name} never moves by itself.`
  }
  if (versionUpgradeOption === 'NoAutoUpgrade') return `${head} NoAutoUpgrade keeps the one that is served.`
  return `${head} The one that is served stays until it is retired, for which there is no date yet.`
}

function lossesOf(spec: DeploymentSpec, now: CatalogModel, then: CatalogModel): string[] {
  const { sku } = spec
  const offered = sku && then.skus.find(({ name }) => name === sku.name)
  return [
    ...Object.keys(now.capabilities)
      .filter((name) => now.capabilities[name] !== 'false' && (then.capabilities[name] ?? 'false') === 'false')
      .map((name) => `capability ${name}`),
    ...(sku && !offered ? [`SKU ${sku.name}`] : []),
    ...(sku && offered && sku.capacity < offered.capacity.minimum
      ? [`capacity ${sku.capacity}: ${sku.name} starts at ${offered.capacity.minimum} there`]
      : []),
    ...lossOfLength('context', now.maxContextTokens, then.maxContextTokens),
    ...lossOfLength('output', now.maxOutputTokens, then.maxOutputTokens),
  ]
}

function lossOfLength(what: string, now: number | undefined, then: number | undefined): string[] {
  return now !== undefined && then !== undefined && then < now ? [`${what} of ${now} tokens: it is ${then} there`] : []
}
