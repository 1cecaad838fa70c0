import { lookup as lookupName } from 'node:dns'
import { isIP } from 'node:net'
import { Fault } from '../../../core/fault.ts'
import { judgeAddress } from './address-guard.ts'

/** Resolves a name to IP addresses, best first. */
export type Lookup = (name: string) => Promise<readonly string[]>

/**
 * The addresses of `host` that may be connected to, best first. The addresses returned are the ones to connect to: resolving the
 * name again could give others. Throws Fault `upstream-unavailable` when there is none or when all are refused.
 */
export async function resolveHost(
  host: string,
  peer: string,
  lookup: Lookup = lookupSystem,
  allowAddress?: (address: string) => boolean,
): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await lookUp(host, peer, lookup) : [host]
  const refusals: string[] = []
  const allowed = addresses.filter((address) => {
    const reason = allowAddress ? refuseUnless(allowAddress(address)) : judgeAddress(address)
    if (reason) refusals.push(`${address} is refused: ${reason}`)
    return !reason
  })
  if (allowed.length > 0) return allowed
  throw new Fault(
    'upstream-unavailable',
    `no connection to ${peer}: ${refusals.join('; ') || `${host} has no address`}`,
  )
}

function refuseUnless(isAllowed: boolean): string | undefined {
  return isAllowed ? undefined : 'it is not among the allowed addresses'
}

async function lookUp(host: string, peer: string, lookup: Lookup): Promise<readonly string[]> {
  try {
    return await lookup(host)
  } catch (error) {
    const code = (error as { code?: string }).code ?? String(error)
    throw new Fault('upstream-unavailable', `no connection to ${peer}: the name ${host} was not resolved (${code})`)
  }
}

function lookupSystem(name: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookupName(name, { all: true }, (error, found) => {
      if (error) reject(error)
      else resolve(found.map((entry) => entry.address))
    })
  })
}
