import { skus } from '../../core/deployment.ts'
import type { ResourceId } from '../../core/resource.ts'
import { nearestNames } from '../../core/text/nearest-names.ts'
import type { DocumentProblem } from '../../core/text/parse-document.ts'
import type { Catalog, CatalogModel } from '../catalog/catalog.ts'
import { genericSkus } from '../catalog/create-catalog.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import { isRetired } from '../plan/version.ts'
import type { Outbound } from '../resources/outbound.ts'
import type { ModelBackends } from './model-backends.ts'
import { findPool, type QuotaPool } from './quota.ts'

/** Which labels a backend must have one of, by how widely a SKU may be served. What is absent may be served anywhere. */
export type Placement = Readonly<Partial<Record<'global' | 'data-zone' | 'regional', readonly string[]>>>

/** A deployment of another resource. */
export type Elsewhere = {
  readonly resource: { readonly id: ResourceId; readonly name: string }
  readonly spec: DeploymentSpec
}

export type CapacityRules = {
  /** Where models run that deployments do not say it of. */
  readonly modelBackends?: readonly ModelBackends[]
  readonly catalog: Catalog
  readonly pools: readonly QuotaPool[]
  readonly placement: Placement
  /** The deployments of other resources: they draw on the same pools and go to the same backends. None when absent. */
  readonly elsewhere?: readonly Elsewhere[] | undefined
  /** The hosts that backends of this resource may be at; undefined: any. */
  readonly outbound?: Outbound
  /** Unix milliseconds. */
  readonly now: number
}

/** What is wrong with a deployment's capacity and with what goes along with it. */
export function judgeCapacity(spec: DeploymentSpec, rules: CapacityRules): DocumentProblem[] {
  return [
    ...judgeSku(spec, rules),
    ...judgeOptions(spec, rules),
    ...judgePlacement(spec, rules.placement),
    ...judgeHosts(spec, rules.outbound),
  ]
}

function judgeSku(spec: DeploymentSpec, { catalog }: CapacityRules): DocumentProblem[] {
  const { sku, model } = spec
  if (!sku) return []
  const offered = offeredSkus(spec, catalog)
  const known = offered.find(({ name }) => name === sku.name)
  if (!known) {
    const isProvisioned = skus[sku.name].family === 'provisioned'
    const way = isProvisioned && catalog.versionsOf(model.name, model.format).length === 0
    const text = way
      ? `got "${sku.name}", but no entry says what a provisioned unit of ${model.name} is worth; tell it under "models" of the configuration file`
      : `got "${sku.name}", expected one that ${model.name} is offered with: ${offered.map(({ name }) => `"${name}"`).join(', ')}`
    return [{ path: ['sku', 'name'], text, code: 'InvalidSku' }]
  }
  const { minimum, maximum, step } = known.capacity
  if (sku.capacity >= minimum && sku.capacity <= maximum && sku.capacity % step === 0) return []
  const nearest = Math.min(maximum, Math.max(minimum, Math.ceil(sku.capacity / step) * step))
  const range = `${minimum} to ${maximum}${step === 1 ? '' : ` in steps of ${step}`}`
  return [
    {
      path: ['sku', 'capacity'],
      text: `got ${sku.capacity}, expected ${range}; the nearest is ${nearest}`,
      code: 'InvalidCapacity',
    },
  ]
}

/** A version that no entry knows is offered as the default one is. */
function offeredSkus({ model }: DeploymentSpec, catalog: Catalog): CatalogModel['skus'] {
  const entry = catalog.find(model.name, model.version, model.format) ?? catalog.versionsOf(model.name, model.format)[0]
  return entry?.skus ?? genericSkus
}

function judgeOptions(spec: DeploymentSpec, { pools }: CapacityRules): DocumentProblem[] {
  const family = spec.sku && skus[spec.sku.name].family
  const problems: DocumentProblem[] = []
  const refuse = (field: keyof DeploymentSpec, text: string) => problems.push({ path: [field], text })
  if (spec.concurrency !== undefined && family !== 'provisioned')
    refuse('concurrency', `got ${spec.concurrency}, expected nothing: only provisioned SKUs reserve calls at once`)
  const { spilloverDeploymentName: spillover } = spec
  if (spillover !== undefined && family !== 'provisioned')
    refuse('spilloverDeploymentName', `got "${spillover}", expected nothing: only provisioned SKUs spill over`)
  if (spillover?.toLowerCase() === spec.name.toLowerCase())
    refuse('spilloverDeploymentName', `got "${spillover}", expected another deployment than itself`)
  if (spec.dynamicThrottlingEnabled && family !== 'standard')
    refuse(
      'dynamicThrottlingEnabled',
      'got true, expected false or nothing: only the standard family has tokens to go over',
    )
  else if (spec.dynamicThrottlingEnabled && !findPool(spec, pools))
    refuse(
      'dynamicThrottlingEnabled',
      `got true, but there is no quota pool for ${spec.sku?.name} to borrow from; declare one under "quota" of the configuration file`,
    )
  if (spec.serviceTier === 'Priority' && spec.sku?.name !== 'GlobalStandard' && spec.sku?.name !== 'DataZoneStandard')
    refuse('serviceTier', 'got "Priority", expected "Default": only GlobalStandard and DataZoneStandard have priority')
  if (spec.rateLimits?.length === 2 && spec.rateLimits[0]?.key === spec.rateLimits[1]?.key)
    refuse(
      'rateLimits',
      `got two of key "${spec.rateLimits[0]?.key}", expected at most one each of "request" and "token"`,
    )
  if (spec.rateLimits && family !== undefined && family !== 'standard')
    refuse(
      'rateLimits',
      `got limits beside ${spec.sku?.name}, expected them without a SKU or with one of the standard family`,
    )
  return [...problems, ...judgePause(spec)]
}

/** Whether the deployment can be in the state it shall be in. */
export function judgePause({ sku, deploymentState }: DeploymentSpec): DocumentProblem[] {
  if (deploymentState !== 'Paused' || !sku || skus[sku.name].family === 'standard') return []
  const text = `got "Paused", expected "Running": only the standard family can be paused, and this is ${sku.name}`
  return [{ path: ['deploymentState'], text }]
}

/** Where the resource restricts what it may call. */
function judgeHosts(spec: DeploymentSpec, outbound: Outbound): DocumentProblem[] {
  if (!outbound || !spec.backends) return []
  return spec.backends.flatMap(({ url }, index) => {
    const host = new URL(url).hostname
    if (outbound.includes(host)) return []
    const allowed = outbound.map((name) => JSON.stringify(name)).join(' or ') || 'none'
    const text = `got the host "${host}", expected ${allowed}: the resource restricts where it may call (allowedFqdnList)`
    return [{ path: ['backends', index, 'url'], text, code: 'OutboundNotAllowed' }]
  })
}

function judgePlacement(spec: DeploymentSpec, placement: Placement): DocumentProblem[] {
  if (!spec.sku) return []
  const { scope } = skus[spec.sku.name]
  const labels = placement[scope]
  if (!labels) return []
  if (!spec.backends) return []
  return spec.backends.flatMap((backend, index) => {
    if (backend.labels?.some((label) => labels.includes(label))) return []
    const text = `has ${backend.labels ? backend.labels.join(', ') : 'no labels'}, expected one of ${labels.join(', ')}: ${spec.sku?.name} is ${scope}, and "placement" says where that is`
    return [{ path: ['backends', index, 'labels'], text, code: 'PlacementNotAllowed' }]
  })
}

/**
 * Whether the model may be deployed anew, beside the deployments there are. To be asked when a deployment is made or gets another model:
 * what runs already is never refused for its model's age, but ends or moves on as its upgrade option says.
 */
export function judgeNewModel(
  { model }: DeploymentSpec,
  specs: readonly DeploymentSpec[],
  { catalog, now }: CapacityRules,
): DocumentProblem[] {
  const entry = catalog.find(model.name, model.version, model.format)
  if (!entry) return []
  const why = isRetired(entry.lifecycle, now)
    ? 'it is retired'
    : entry.lifecycle.status === 'Deprecating' && !specs.some((spec) => isSameModelName(spec, model))
      ? 'it is being retired, and only who has a deployment of it may make another'
      : undefined
  if (why === undefined) return []
  const { replacement } = entry.lifecycle
  const others = catalog
    .versionsOf(model.name, model.format)
    .filter((other) => other !== entry && !isRetired(other.lifecycle, now) && other.lifecycle.status !== 'Deprecating')
  const way = replacement
    ? `${replacement.name}, version ${replacement.version}`
    : others.length > 0
      ? `version ${others.map(({ version }) => version).join(' or ')}`
      : 'another model'
  const text = `Creating account deployment is not supported by the model '${model.name}', version ${model.version}: ${why}. Use ${way}`
  return [{ path: ['model', 'version'], text, code: 'DeploymentModelNotSupported' }]
}

function isSameModelName(spec: DeploymentSpec, { format, name }: DeploymentSpec['model']): boolean {
  return spec.model.format === format && spec.model.name.toLowerCase() === name.toLowerCase()
}

/** Whether the deployment that is to take what this one cannot is there. */
export function judgeSpillover(spec: DeploymentSpec, names: readonly string[]): DocumentProblem[] {
  const { spilloverDeploymentName: target } = spec
  if (target === undefined || names.some((name) => name.toLowerCase() === target.toLowerCase())) return []
  const nearest = nearestNames(target, names)
  const hint = nearest.length > 0 ? ` (did you mean ${nearest.map((name) => `"${name}"`).join(' or ')}?)` : ''
  return [{ path: ['spilloverDeploymentName'], text: `got "${target}", but there is no such deployment${hint}` }]
}
