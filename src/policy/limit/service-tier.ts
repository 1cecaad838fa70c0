import type { Call } from '../../core/call.ts'
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
 * The call as it goes on where the tier was ours to give: a backend of another protocol, or the built-in model, is not asked for it
 * again. The caller's own bytes, which a backend of the same protocol gets, stay as they are, and so does what it says about them.
 */
export function withoutTier(call: Call): Call {
  const fields = call.rest?.fields
  if (!call.rest || !fields || !isOurs(fields[field])) return call
  const others = pickUnknown(fields, fieldSet)
  return { ...call, rest: others && { wire: call.rest.wire, fields: others } }
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
