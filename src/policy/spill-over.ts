import { isPassCall } from '../core/call.ts'
import { type Deployment, deploymentKey, skus } from '../core/deployment.ts'
import { type Exchange, releaseHolds } from '../core/exchange.ts'
import { type Fault, toFault } from '../core/fault.ts'
import type { FaultCode } from '../core/fault-codes.ts'
import type { ResourceId } from '../core/resource.ts'
import { mayCall } from './access/authorize.ts'
import { limitHeaders } from './limit/headers.ts'
import type { Next, Policy } from './pipeline.ts'

/** The deployment of that name, without regard to case, of a resource. */
export type FindDeployment = (name: string, resource: ResourceId | undefined) => Deployment | undefined

/**
 * Ends that another deployment may do better: its capacity is used up (429), the prompt is too long for it (400), or it or its backends
 * fail (500 and 503; here a backend's own failure is a 502). Not those of the key, nor timeouts: a caller has waited long enough by then.
 */
const spilling: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'rate-limited',
  'engine-busy',
  'exceeds-capacity',
  'context-length-exceeded',
  'upstream-failed',
  'upstream-misconfigured',
  'upstream-unavailable',
  'upstream-busy',
  'breakers-open',
  'engine-unavailable',
  'internal',
])

/**
 * Lets a second deployment answer what the first cannot, as long as no answer has begun. Comes before every policy that is about the
 * deployment, so that they judge the second one too. When both fail, the caller gets the fault of the first.
 */
export function createSpillOver(findDeployment: FindDeployment): Policy {
  return (exchange, next) => {
    const name = targetOf(exchange)
    return name === undefined ? next(exchange) : answerOrSpill(exchange, next, name)
  }

  async function answerOrSpill(exchange: Exchange, next: Next, name: string): ReturnType<Next> {
    const { call } = exchange
    const kept = exchange.holds.length
    try {
      return await next(exchange)
    } catch (error) {
      const fault = toFault(error)
      if (!isSpilling(fault) || exchange.signal.aborted || isSpent(exchange)) throw fault
      releaseHolds(exchange, 'failed', kept)
      exchange.call = call
      return spill(exchange, next, findTarget(findDeployment, exchange, name), fault)
    }
  }
}

/** The operator's word comes before the caller's, which only counts where capacity was bought in advance. */
function targetOf({ deployment, header }: Exchange): string | undefined {
  if (deployment.spillover !== undefined) return deployment.spillover
  const { sku } = deployment
  if (!sku || skus[sku.name].family !== 'provisioned') return undefined
  return header('x-ms-spillover-deployment') || undefined
}

/** undefined for a deployment that does not exist, or not for this caller. What the operator configured is for every caller. */
function findTarget(
  find: FindDeployment,
  { deployment, caller, call }: Exchange,
  name: string,
): Deployment | undefined {
  const target = find(name, deployment.resource)
  if (!target || deploymentKey(target.name) === deploymentKey(deployment.name)) return undefined
  if (deployment.spillover === undefined && !mayCall(caller, target, call.kind)) return undefined
  return target.kinds.has(call.kind) ? target : undefined
}

async function spill(
  exchange: Exchange,
  next: Next,
  target: Deployment | undefined,
  fault: Fault,
): Promise<Awaited<ReturnType<Next>>> {
  const { answerHeaders: headers, deployment: primary, servedTier } = exchange
  if (!target) {
    headers['x-ms-spillover-error'] = '404'
    throw fault
  }
  const ofPrimary = takeLimitHeaders(headers)
  exchange.tally.usage = undefined
  exchange.tally.pieces = 0
  exchange.spilledFrom = primary
  exchange.deployment = target
  try {
    const reply = await next(exchange)
    headers['x-ms-spillover-from-deployment'] = primary.name
    headers['x-ms-deployment-name'] = target.name
    return reply
  } catch (error) {
    if (exchange.signal.aborted) throw error
    // The call ends as one to the deployment that was asked for, whose fault the caller gets.
    takeLimitHeaders(headers)
    Object.assign(headers, ofPrimary, { 'x-ms-spillover-error': String(toFault(error).status) })
    exchange.spilledFrom = undefined
    exchange.deployment = primary
    exchange.servedTier = servedTier
    throw fault
  }
}

function isSpilling({ code, status, detail }: Fault): boolean {
  if (code !== 'upstream-rejected') return spilling.has(code)
  return status === 400 && detail.vendorCode === 'context_length_exceeded'
}

/** A form that was read in part is gone. */
function isSpent({ call }: Exchange): boolean {
  return isPassCall(call) && call.form?.isSpent === true
}

/** Takes out of the headers what was said about the limits of a deployment. */
function takeLimitHeaders(headers: Record<string, string>): Record<string, string> {
  const taken: Record<string, string> = {}
  for (const name of limitHeaders) {
    const value = headers[name]
    if (value === undefined) continue
    taken[name] = value
    delete headers[name]
  }
  return taken
}
