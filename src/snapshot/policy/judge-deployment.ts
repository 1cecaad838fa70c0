import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { DocumentProblem } from '../../core/text/parse-document.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import { type PlanOptions, planDeployment } from '../plan/plan-deployment.ts'
import type { DeploymentPolicy } from './deployment-policy.ts'
import { findMismatches, type Judged, type Mismatch } from './match-conditions.ts'

export type PolicyRules = {
  readonly policies: readonly DeploymentPolicy[]
  /** The content filter policy of deployments that name none. */
  readonly defaultRaiPolicy: string
}

export type Violation = Mismatch & { readonly policy: string; readonly effect: 'deny' | 'audit' }

/** The code of Azure Policy's refusals. */
export const disallowedCode = 'RequestDisallowedByPolicy'

/** The document as an operator's policies complete it. What it says itself stays; of tags, one by one. */
export function fillDefaults(input: unknown, policies: readonly DeploymentPolicy[]): unknown {
  if (!isJsonObject(input)) return input
  let filled: JsonObject = input
  for (const policy of policies) {
    if (policy.effect !== 'default' || (policy.when && !isMeant(policy.when, input))) continue
    filled = fillFields(filled, policy.set as unknown as JsonObject)
  }
  return filled
}

/** Every way in which the deployment is not as the policies have it. */
export function findViolations(
  spec: DeploymentSpec,
  { policies, defaultRaiPolicy }: PolicyRules,
  plan: Pick<PlanOptions, 'catalog' | 'now'>,
): readonly Violation[] {
  if (policies.every(({ effect }) => effect === 'default')) return []
  const { limits } = planDeployment(spec, { ...plan, createdAt: plan.now, pool: undefined })
  const judged: Judged = { spec, limits, raiPolicyName: spec.raiPolicyName ?? defaultRaiPolicy }
  return policies.flatMap((policy): Violation[] => {
    if (policy.effect === 'default') return []
    if (policy.when && findMismatches(policy.when, judged).length > 0) return []
    const { name, effect } = policy
    return findMismatches(policy.allow, judged).map((mismatch) => ({ ...mismatch, policy: name, effect }))
  })
}

export function describeViolation({ policy, got, allowed }: Violation): string {
  return `got ${got}, which the policy "${policy}" does not allow; allowed: ${allowed}`
}

/** What refuses the deployment, as problems of its document. */
export function judgePolicies(
  spec: DeploymentSpec,
  rules: PolicyRules,
  plan: Pick<PlanOptions, 'catalog' | 'now'>,
): DocumentProblem[] {
  return findViolations(spec, rules, plan)
    .filter(({ effect }) => effect === 'deny')
    .map((violation) => ({
      path: splitPath(violation.field),
      text: describeViolation(violation),
      code: disallowedCode,
    }))
}

/** A document may not be one yet: what is not there is nothing. */
function isMeant(
  when: NonNullable<Extract<DeploymentPolicy, { effect: 'default' }>['when']>,
  input: JsonObject,
): boolean {
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  const model = isJsonObject(input.model) ? input.model : {}
  const sku = isJsonObject(input.sku) ? input.sku : {}
  const tags = isJsonObject(input.tags) ? input.tags : {}
  const spec = {
    model: { name: text(model.name), format: text(model.format), version: text(model.version) },
    sku: sku.name === undefined ? undefined : { name: text(sku.name), capacity: 0 },
    tags: Object.fromEntries(Object.entries(tags).filter(([, value]) => typeof value === 'string')),
  } as unknown as Judged['spec']
  return findMismatches(when, { spec, limits: undefined, raiPolicyName: '' }).length === 0
}

function fillFields(target: JsonObject, defaults: JsonObject): JsonObject {
  const filled = { ...target }
  for (const [name, value] of Object.entries(defaults)) {
    const given = filled[name]
    if (given === undefined) filled[name] = value
    else if (name === 'tags' && isJsonObject(given) && isJsonObject(value)) filled[name] = { ...value, ...given }
  }
  return filled
}

/** `backends[0].labels` as a path. */
function splitPath(field: string): (string | number)[] {
  if (field.startsWith('tags.')) return ['tags', field.slice('tags.'.length)]
  return field
    .split(/[.[\]]+/)
    .filter(Boolean)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}
