import type { Deployment } from '../core/deployment.ts'
import type { Exchange } from '../core/exchange.ts'
import { Fault } from '../core/fault.ts'
import type { Policy } from './pipeline.ts'

const warnMs = 90 * 86_400_000

/**
 * Whether the deployment takes calls at all: not when it is paused, at the end of its model's life, or made for batch work. Before that end
 * the answers say when it comes, in the `deprecation` and `sunset` headers of RFC 9745 and RFC 8594. `now` is unix milliseconds.
 * Rejects with Faults `deployment-paused`, `model-retired`, `operation-not-supported`.
 */
export function createCheckDeployment(now: () => number): Policy {
  return (exchange, next) => {
    const { deployment } = exchange
    const { retiresAt, status } = deployment.lifecycle
    if (deployment.isPaused) throw refusePaused(deployment)
    if (deployment.limits?.kind === 'enqueued' && !exchange.isBatch) throw refuseBatch(deployment)
    if (status === 'Deprecated' || (retiresAt !== undefined && retiresAt <= now())) throw refuseRetired(deployment)
    if (retiresAt !== undefined && retiresAt - now() < warnMs) announceEnd(exchange, retiresAt)
    return next(exchange)
  }
}

function announceEnd({ answerHeaders, deployment }: Exchange, retiresAt: number): void {
  answerHeaders.deprecation = `@${Math.floor((retiresAt - warnMs) / 1000)}`
  answerHeaders.sunset = new Date(retiresAt).toUTCString()
  const { replacement } = deployment.lifecycle
  const text = replacement && `${replacement.name} ${replacement.version}`
  if (text && /^[\x20-\x7e]+$/.test(text)) answerHeaders['x-ms-model-replacement'] = text
}

function refusePaused({ name }: Deployment): Fault {
  return new Fault(
    'deployment-paused',
    `The deployment '${name}' is paused. Its operator can resume it: ponto deployment resume ${name}.`,
  )
}

function refuseBatch({ name, sku }: Deployment): Fault {
  return new Fault(
    'operation-not-supported',
    `The deployment '${name}' is of SKU ${sku?.name}, which is for batch work only. Use a deployment of a standard or provisioned SKU.`,
  )
}

function refuseRetired({ name, model, lifecycle, sku }: Deployment): Fault {
  const when =
    lifecycle.retiresAt === undefined ? '' : ` on ${new Date(lifecycle.retiresAt).toISOString().slice(0, 10)}`
  if (sku?.name === 'DeveloperTier') {
    return new Fault(
      'model-retired',
      `The deployment '${name}' is of SKU DeveloperTier and ended${when}, 24 hours after it was made. Make it anew.`,
    )
  }
  const { replacement } = lifecycle
  const way = replacement ? ` It was replaced by ${replacement.name}, version ${replacement.version}.` : ''
  return new Fault(
    'model-retired',
    `The model ${model.name}, version ${model.version}, of the deployment '${name}' was retired${when}.${way}`,
  )
}
