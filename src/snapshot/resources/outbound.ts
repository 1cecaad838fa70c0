import { Fault } from '../../core/fault.ts'
import type { ResourceProperties } from '../../core/resource.ts'

/** The hosts that a resource may have called, in lower case; undefined: any. */
export type Outbound = readonly string[] | undefined

export function outboundOf({ restrictOutboundNetworkAccess, allowedFqdnList }: ResourceProperties): Outbound {
  return restrictOutboundNetworkAccess ? (allowedFqdnList ?? []).map((name) => name.toLowerCase()) : undefined
}

/** Throws Fault `upstream-misconfigured` for a host that is not in the list. */
export function requireReachable(host: string, outbound: Outbound): void {
  if (!outbound || outbound.includes(host.toLowerCase())) return
  throw new Fault(
    'upstream-misconfigured',
    `The resource restricts where it may call (restrictOutboundNetworkAccess), and ${host} is not in its allowedFqdnList.`,
  )
}
