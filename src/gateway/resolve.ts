import type { Deployment } from '../core/deployment.ts'
import type { Caller } from '../core/exchange.ts'
import { Fault } from '../core/fault.ts'
import { nearestNames } from '../core/text/nearest-names.ts'
import { mayUse } from '../policy/access/authorize.ts'
import { findDeployment, type Snapshot } from '../snapshot/snapshot.ts'

/**
 * The deployment asked for. A caller with a single one needs no name, as a serverless endpoint does not. One that the caller may not
 * use is refused in the same words as one that does not exist, so that a key cannot be used to find out what else there is.
 */
export function resolveDeployment(snapshot: Snapshot, caller: Caller, name: string): Deployment {
  if (name === '') {
    const visible = listVisible(snapshot, caller)
    const [only] = visible.length === 1 ? visible : []
    if (only) return only
    throw new Fault(
      'no-model',
      'No model specified in request. Please provide a model name in the request body or as a x-ms-model-mesh-model-name header.',
    )
  }
  const deployment = findDeployment(snapshot, name)
  if (deployment && mayUse(caller, name)) return deployment
  throw describeUnknown(snapshot, caller, name)
}

/** What the caller may use. */
export function listVisible(snapshot: Snapshot, caller: Caller): readonly Deployment[] {
  return [...snapshot.deployments.values()].filter(({ name }) => mayUse(caller, name))
}

function describeUnknown(snapshot: Snapshot, caller: Caller, name: string): Fault {
  const nearest = nearestNames(
    name,
    listVisible(snapshot, caller).map((visible) => visible.name),
  )
  const hint = nearest.length > 0 ? ` Did you mean ${nearest.map((near) => `'${near}'`).join(', ')}?` : ''
  const isScoped = caller.grant?.deployments !== undefined
  const who = caller.principal ? `principal '${caller.principal.id}'` : `key '${caller.keyName}'`
  const [whose, what] = isScoped
    ? [`, or not for the ${who}`, `what this ${caller.principal ? 'principal' : 'key'} may use`]
    : ['', 'what there is']
  return new Fault(
    'deployment-not-found',
    `Unknown model: ${name}. The API deployment for this resource does not exist${whose}.${hint} GET /openai/deployments lists ${what}.`,
    { model: name, nearest, param: 'model' },
  )
}
