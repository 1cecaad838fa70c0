import { type Call, isPassCall } from '../../core/call.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { ServedTier } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import { type Json, pickUnknown } from '../../core/json.ts'

/** Part of a window up to which flex calls are let in: the rest is for calls that pay for being served at once. */
export const flexShare = 0.8

/** Who goes first where calls wait. */
export const tierRanks: Readonly<Record<ServedTier, number>> = { priority: 0, default: 1, flex: 2 }

const field = 'service_tier'

/**
 * The tier that serves a call. Priority is had with the SKUs that offer it, and otherwise silently is not. undefined where a deployment
 * without a SKU is asked for a tier: that is for its backends to say. Throws Fault `invalid-request` for flex where there is none: it has
 * no tier to fall back to.
 */
export function chooseTier(call: Call, deployment: Deployment): ServedTier | undefined {
  const asked = readAskedTier(call)
  const { sku } = deployment
  if (!sku) return isOurs(asked) ? undefined : 'default'
  switch (asked) {
    case 'default':
    case 'standard_only':
      return 'default'
    case 'flex': {
      if (sku.name === 'GlobalStandard') return 'flex'
      const why = `deployment '${deployment.name}' is of SKU ${sku.name}`
      throw new Fault(
        'invalid-request',
        `Invalid value for '${field}': 'flex' is only available on Global Standard deployments, and ${why}. Leave it out, or use another deployment.`,
        { param: field },
      )
    }
    case 'priority':
      return hasPriority(deployment) ? 'priority' : 'default'
    default:
      return hasPriority(deployment) ? deployment.serviceTier : 'default'
  }
}

/**
 * The call as it goes on where the tier was ours to give: no backend is asked for it again, which would bill it. What is relayed would
 * bring the backend's own word on it, so the answer to a call that asked is read and written anew.
 */
export function withoutTier(call: Call): Call {
  if (isPassCall(call) || typeof readAskedTier(call) !== 'string') return call
  const others = call.rest && pickUnknown(call.rest.fields, fieldSet)
  return { ...call, source: undefined, rest: call.rest && others && { wire: call.rest.wire, fields: others } }
}

const fieldSet: ReadonlySet<string> = new Set([field])

/** A policy may have put a call in the place of the one that was read: then its source is gone, and only the rest tells. */
function readAskedTier({ source, rest }: Call): Json | undefined {
  return source ? source.body[field] : rest?.fields[field]
}

function isOurs(tier: Json | undefined): boolean {
  return tier === 'priority' || tier === 'flex'
}

function hasPriority({ sku }: Deployment): boolean {
  return sku?.name === 'GlobalStandard' || sku?.name === 'DataZoneStandard'
}
