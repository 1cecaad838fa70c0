import type { Deployment } from '../core/deployment.ts'
import { Fault } from '../core/fault.ts'
import { nearestNames } from '../core/text/nearest-names.ts'
import { findDeployment, type Snapshot } from '../snapshot/snapshot.ts'

/** The deployment asked for. A server with a single one needs no name, as a serverless endpoint does not. */
export function resolveDeployment(snapshot: Snapshot, name: string): Deployment {
  const { deployments } = snapshot
  if (name === '') {
    const [only] = deployments.size === 1 ? deployments.values() : []
    if (only) return only
    throw new Fault(
      'no-model',
      'No model specified in request. Please provide a model name in the request body or as a x-ms-model-mesh-model-name header.',
    )
  }
  const deployment = findDeployment(snapshot, name)
  if (deployment) return deployment
  const nearest = nearestNames(name, namesOf(deployments.values()))
  const hint = nearest.length > 0 ? ` Did you mean ${nearest.map((near) => `'${near}'`).join(', ')}?` : ''
  throw new Fault(
    'deployment-not-found',
    `Unknown model: ${name}. The API deployment for this resource does not exist.${hint} GET /openai/deployments lists what there is.`,
    { model: name, nearest, param: 'model' },
  )
}

function* namesOf(deployments: Iterable<Deployment>): Generator<string> {
  for (const { name } of deployments) yield name
}
