import { BlockList, isIP } from 'node:net'
import { Fault } from '../../core/fault.ts'

/** From where a resource, or management, may be reached. Written as Azure's properties of the same names. */
export type NetworkRules = {
  /** `Disabled`: from this machine only. */
  readonly publicNetworkAccess?: 'Enabled' | 'Disabled' | undefined
  readonly networkAcls?:
    | {
        /** Of addresses that no rule names. */
        readonly defaultAction?: 'Allow' | 'Deny' | undefined
        /** Addresses, and ranges such as `203.0.113.0/24`, that are let in. */
        readonly ipRules?: readonly { readonly value: string }[] | undefined
      }
    | undefined
}

/** Throws Fault `forbidden` for an address that is not let in. */
export type JudgeAddress = (address: string) => void

type Range = { readonly address: string; readonly bits: number; readonly family: 'ipv4' | 'ipv6' }

/** An address or a range in CIDR notation; undefined for anything else. */
export function readRange(text: string): Range | undefined {
  const [address = '', suffix, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0 || address.includes('%')) return undefined
  const longest = version === 4 ? 32 : 128
  if (suffix !== undefined && !/^\d{1,3}$/.test(suffix)) return undefined
  const bits = suffix === undefined ? longest : Number(suffix)
  return bits <= longest ? { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' } : undefined
}

/** undefined where everybody is let in, so that nobody's address has to be found out. */
export function compileNetworkRules(rules: NetworkRules): JudgeAddress | undefined {
  const { publicNetworkAccess, networkAcls } = rules
  if (publicNetworkAccess === 'Disabled') {
    return (address) => {
      if (!isLoopback(address)) {
        throw refuse(`Public access is disabled. It is open to this machine only, and you come from ${name(address)}.`)
      }
    }
  }
  if (networkAcls?.defaultAction !== 'Deny') return undefined
  const allowed = collectRanges((networkAcls.ipRules ?? []).map(({ value }) => value))
  return (address) => {
    if (contains(allowed, address)) return
    throw refuse(`Access denied due to Virtual Network/Firewall rules. No rule lets ${name(address)} in.`)
  }
}

/**
 * Where a request comes from: the other end of its connection, unless that is a proxy which the operator trusts. Then it is what the proxy
 * says: the last address in `X-Forwarded-For` that is not a trusted proxy too. undefined where there are no such proxies.
 */
export function createAddressReader(
  trustedProxies: readonly string[],
): ((socketAddress: string, headers: Headers) => string) | undefined {
  if (trustedProxies.length === 0) return undefined
  const trusted = collectRanges(trustedProxies)
  return (socketAddress, headers) => {
    if (!contains(trusted, socketAddress)) return socketAddress
    const hops = (headers.get('x-forwarded-for') ?? '').split(',').map((hop) => bareAddress(hop.trim()))
    // A proxy that names nobody speaks for itself, as a check of its own does.
    if (hops.length === 1 && hops[0] === '') return socketAddress
    while (hops.length > 1 && contains(trusted, hops.at(-1) as string)) hops.pop()
    return hops.at(-1) as string
  }
}

function collectRanges(texts: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of texts) {
    const range = readRange(text)
    if (range) list.addSubnet(range.address, range.bits, range.family)
  }
  return list
}

function contains(list: BlockList, address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  const version = isIP(bare)
  return version !== 0 && list.check(bare, version === 4 ? 'ipv4' : 'ipv6')
}

const loopback = collectRanges(['127.0.0.0/8', '::1'])

export function isLoopback(address: string): boolean {
  return contains(loopback, address)
}

/** Some proxies write the port too. */
function bareAddress(hop: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1]
  return bracketed ?? hop.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
}

/** What a proxy says is repeated only where it is an address. */
function name(address: string): string {
  return isIP(address.replace(/%.*$/, '')) === 0 ? 'an unknown address' : address
}

function refuse(message: string): Fault {
  return new Fault('forbidden', message, { vendorCode: '403' })
}
