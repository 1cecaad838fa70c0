import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { CapacityRules } from '../../snapshot/capacity/judge-capacity.ts'
import type { DeploymentSpec } from '../../snapshot/deployment-spec.ts'
import type { DesiredState } from '../../snapshot/desired-state.ts'
import { type DeploymentPolicy, readDeploymentPolicy } from '../../snapshot/policy/deployment-policy.ts'
import {
  fillDefaults,
  findViolations,
  type PolicyRules,
  type Violation,
} from '../../snapshot/policy/judge-deployment.ts'
import type { DeploymentPolicies } from '../../snapshot/policy/policies-state.ts'
import { readDeployment } from '../../snapshot/read-deployment.ts'
import type { PolicyFinding, PolicyTest } from '../api.ts'
import { createCollectionHandlers, requireValid } from '../filters/collection-handlers.ts'
import { refuseDocument } from '../http/errors.ts'
import { readJsonBody } from '../http/read-body.ts'
import type { Handler } from '../http/route.ts'
import type { AcceptOptions } from './accept-deployment.ts'
import { credentialRule } from './keep-credentials.ts'

export type PoliciesOptions = AcceptOptions & {
  readonly deploymentPolicies: Pick<DeploymentPolicies, 'collection'>
  readonly state: DesiredState
  capacityRules(): CapacityRules
  policyRules(): PolicyRules
}

/** The policies over deployments, with what there is that is not as they have it, and a way to try them out. */
export function createPolicies(options: PoliciesOptions): Record<'list' | 'show' | 'put' | 'remove' | 'test', Handler> {
  function violationsOf(spec: DeploymentSpec, policies: readonly DeploymentPolicy[]): readonly Violation[] {
    return findViolations(spec, { ...options.policyRules(), policies }, options.capacityRules())
  }

  function listFindings(policies: readonly DeploymentPolicy[]): readonly PolicyFinding[] {
    return options.state
      .list()
      .flatMap(({ spec }) => violationsOf(spec, policies).map((violation) => ({ deployment: spec.name, ...violation })))
  }

  /** A policy is the server's, and so is about the deployments of all its resources. */
  function listFindingsElsewhere(policy: DeploymentPolicy): readonly PolicyFinding[] {
    return (options.capacityRules().elsewhere ?? []).flatMap(({ resource, spec }) =>
      violationsOf(spec, [policy]).map((found) => ({ resource: resource.name, deployment: spec.name, ...found })),
    )
  }

  const handlers = createCollectionHandlers({
    collection: options.deploymentPolicies.collection,
    noun: 'deployment policy',
    path: 'deployment-policies',
    shownFields: ['violations'],
    // What was there before the policy stays as it is, and is told here.
    view: (spec) => ({ ...spec, violations: [...listFindings([spec]), ...listFindingsElsewhere(spec)] }),
    accept: (document) => requireValid(readDeploymentPolicy(document)).spec,
  })

  /** What the policies, or the one that is sent with it, make of a deployment that nobody makes. */
  async function test(request: Request) {
    const { deployment, policy } = await readJsonBody(request)
    const rules = options.policyRules()
    const policies = policy === undefined ? rules.policies : [requireValid(readDeploymentPolicy(policy)).spec]
    if (deployment === undefined) {
      const body: PolicyTest = { isAllowed: true, findings: listFindings(policies) }
      return { status: 200, body: { ...body, isAllowed: !body.findings.some(({ effect }) => effect === 'deny') } }
    }
    if (!isJsonObject(deployment)) {
      throw refuseDocument([{ path: ['deployment'], text: 'got another type, expected a deployment as it is created' }])
    }
    const spec = readSpec(deployment, policies)
    const findings = violationsOf(spec, policies).map((violation) => ({ deployment: spec.name, ...violation }))
    const { backends, ...shown } = spec
    const body: PolicyTest = {
      isAllowed: !findings.some(({ effect }) => effect === 'deny'),
      findings,
      deployment: shown,
    }
    return { status: 200, body }
  }

  function readSpec(document: JsonObject, policies: readonly DeploymentPolicy[]): DeploymentSpec {
    const reading = readDeployment(fillDefaults({ name: 'test', ...document }, policies), {
      ...options,
      credentialRule,
      capacityRules: options.capacityRules(),
      policyNames: options.filters.policies.list().map(({ spec }) => spec.name),
      policyRules: undefined,
    })
    if ('spec' in reading) return reading.spec
    throw refuseDocument(reading.problems.map((problem) => ({ ...problem, path: ['deployment', ...problem.path] })))
  }

  return { ...handlers, test }
}
