import type { Sealer } from '../../core/access/seal.ts'
import type { ModelRef } from '../../core/deployment.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { DocumentProblem } from '../../core/text/parse-document.ts'
import { type CapacityRules, judgeNewModel, judgeSpillover } from '../../snapshot/capacity/judge-capacity.ts'
import { checkQuota } from '../../snapshot/capacity/quota.ts'
import { sealCredential } from '../../snapshot/credential.ts'
import type { BackendSpec, DeploymentSpec } from '../../snapshot/deployment-spec.ts'
import type { FiltersState } from '../../snapshot/filter/filters-state.ts'
import { judgeShares } from '../../snapshot/plan/shares.ts'
import type { PolicyRules } from '../../snapshot/policy/judge-deployment.ts'
import { readDeployment } from '../../snapshot/read-deployment.ts'
import { refuseDocument } from '../http/errors.ts'
import { credentialRule, keepCredentials } from './keep-credentials.ts'

export type AcceptOptions = {
  readonly sealer: Sealer
  readonly builtinModels: readonly ModelRef[]
  capacityRules(): CapacityRules
  readonly filters: Pick<FiltersState, 'policies'>
  /** The policies over deployments. */
  policyRules(): PolicyRules
  /** The value of an environment variable. */
  readSecret(name: string): string | undefined
}

/** What GET adds to a document; accepted back, so that what was read can be changed and written. */
const shownFields = [
  'etag',
  'source',
  'createdAt',
  'updatedAt',
  'servedVersion',
  'effectiveLimits',
  'lifecycle',
  'expiresAt',
  'effectiveRaiPolicyName',
] as const

/**
 * The document of a deployment as it will be stored in place of `current`, among all deployments of its resource (`specs`). Throws Fault
 * `invalid-request` with every problem, `insufficient-quota`, and `forbidden` for what a policy over deployments refuses.
 */
export function acceptDeployment(
  document: JsonObject,
  name: string,
  current: DeploymentSpec | undefined,
  specs: readonly DeploymentSpec[],
  options: AcceptOptions,
): DeploymentSpec {
  const kept = keepCredentials(withoutShownFields(document, name), current)
  if ('problems' in kept) throw refuseDocument(kept.problems)
  const rules = options.capacityRules()
  const elsewhere = rules.elsewhere ?? []
  const policyNames = options.filters.policies.list().map((policy) => policy.spec.name)
  const reading = readDeployment(
    { ...kept.input, name },
    { ...options, credentialRule, capacityRules: rules, policyNames, policyRules: options.policyRules() },
  )
  if ('problems' in reading) throw refuseDocument(reading.problems)
  const { spec } = reading
  const problems = [
    ...judgeChange(spec, current),
    ...(current && isSameModel(current.model, spec.model) ? [] : judgeNewModel(spec, specs, rules)),
    ...judgeSpillover(
      spec,
      specs.map((other) => other.name),
    ),
    ...judgeShares(spec, [
      ...specs.filter((other) => other !== current),
      ...elsewhere.map((other) => ({ ...other.spec, resource: other.resource.id })),
    ]),
  ]
  if (problems.length > 0) throw refuseDocument(problems)
  checkQuota(spec, current, [...specs, ...elsewhere.map((other) => other.spec)], rules.pools)
  return sealSpec(spec, options.sealer)
}

/** The document that a patch is for, without version and format of its model when the patch names another: they are not meant for that. */
export function forgetOldModel(document: JsonObject, patch: JsonObject): JsonObject {
  const { model } = document
  if (!isJsonObject(model) || !isJsonObject(patch.model)) return document
  const named = patch.model.name
  if (typeof named !== 'string' || named.toLowerCase() === String(model.name).toLowerCase()) return document
  const { version, format, ...rest } = model
  return { ...document, model: rest }
}

function withoutShownFields(document: JsonObject, name: string): JsonObject {
  const given = document.name
  if (given !== undefined && (typeof given !== 'string' || given.toLowerCase() !== name.toLowerCase())) {
    const shown = typeof given === 'string' ? JSON.stringify(given) : 'another type'
    const text = `got ${shown}, expected ${JSON.stringify(name)} as in the path (a deployment cannot be renamed), or nothing`
    throw refuseDocument([{ path: ['name'], text }])
  }
  const rest = { ...document }
  for (const field of shownFields) delete rest[field]
  return rest
}

/** The day that a deployment of this SKU has began when it was made. */
function judgeChange(spec: DeploymentSpec, current: DeploymentSpec | undefined): DocumentProblem[] {
  if (!current || spec.sku?.name !== 'DeveloperTier' || current.sku?.name === 'DeveloperTier') return []
  const text =
    'got "DeveloperTier", expected another: such a deployment ends 24 hours after it was made. Make a new one of it'
  return [{ path: ['sku', 'name'], text, code: 'InvalidSku' }]
}

function isSameModel(a: ModelRef, b: ModelRef): boolean {
  return a.format === b.format && a.name.toLowerCase() === b.name.toLowerCase() && a.version === b.version
}

/** Secrets as they will be stored. */
function sealSpec(spec: DeploymentSpec, sealer: Sealer): DeploymentSpec {
  const seal = (backend: BackendSpec): BackendSpec => {
    const { credential, url } = backend
    const isPlain = isJsonObject(credential) && 'value' in credential
    return isPlain ? { ...backend, credential: sealCredential(sealer, spec.name, url, credential.value) } : backend
  }
  return spec.backends ? { ...spec, backends: spec.backends.map(seal) } : spec
}
