import { isIP } from 'node:net'

/**
 * Why no connection may be made to an IP address, or undefined when it may. Loopback and private ranges are where operators run
 * their models and are allowed; what answers with credentials of the machine itself is not.
 */
export function judgeAddress(address: string): string | undefined {
  const bytes = readAddress(address)
  if (!bytes) return 'it is not an IP address'
  if (bytes.length === 4) return judgeV4(bytes)
  if (hasPrefix(bytes, loopbackV6, 128)) return undefined
  for (const [prefix, bits, reason] of refusedV6) if (hasPrefix(bytes, prefix, bits)) return reason
  for (const [prefix, bits, pick] of embeddings) {
    if (!hasPrefix(bytes, prefix, bits)) continue
    const inner = pick(bytes)
    const reason = judgeV4(inner)
    if (reason) return `it carries ${inner.join('.')}: ${reason}`
  }
  return undefined
}

/**
 * A host as a URL spells it, made plain: IPv4 in decimal, octal, hexadecimal or short form becomes dotted, IPv6 loses its brackets and
 * takes its shortest form, a name becomes lower case. Undefined when it is no host.
 */
export function normalizeHost(host: string): string | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (isIP(bare) === 6) return new URL(`http://[${withoutZone(bare)}]/`).hostname.slice(1, -1)
  // What a URL would read as something else than its host.
  if (/[:/?#@[\]\\]/.test(host) || !URL.canParse(`http://${host}/`)) return undefined
  return new URL(`http://${host}/`).hostname
}

const metadata = 'it is a metadata service, which hands out credentials of this machine'
const linkLocal = 'it is link-local, where metadata services live'
const unspecified = 'it is an unspecified address'
const multicast = 'it is a multicast address'

type Range = readonly [prefix: readonly number[], bits: number, reason: string]

const refusedV4: readonly Range[] = [
  [[169, 254], 16, linkLocal],
  [[100, 100, 100, 200], 32, metadata],
  [[168, 63, 129, 16], 32, metadata],
  [[192, 0, 0, 192], 32, metadata],
  [[0], 8, unspecified],
  [[224], 4, multicast],
  [[255, 255, 255, 255], 32, 'it is the broadcast address'],
]

const loopbackV6 = parseV6('::1')

const refusedV6: readonly Range[] = [
  [parseV6('::'), 128, unspecified],
  [parseV6('fe80::'), 10, linkLocal],
  [parseV6('ff00::'), 8, multicast],
  [parseV6('fd00:ec2::254'), 128, metadata],
  [parseV6('fd20:ce::254'), 128, metadata],
  [parseV6('fd00:42::42'), 128, metadata],
]

type Pick = (bytes: readonly number[]) => readonly number[]

const lastFour: Pick = (bytes) => bytes.slice(12)

/** A network's own NAT64 prefix may be a /48, which ends in zeros, or longer; then the address is at the end (RFC 6052 section 2.2). */
const ownNat64: Pick = (bytes) =>
  bytes.slice(11).every((byte) => byte === 0) ? [...bytes.slice(6, 8), ...bytes.slice(9, 11)] : lastFour(bytes)

/** Forms of IPv6 that carry an IPv4 address. */
const embeddings: readonly (readonly [prefix: readonly number[], bits: number, pick: Pick])[] = [
  [parseV6('::ffff:0:0'), 96, lastFour], // IPv4-mapped, RFC 4291
  [parseV6('::ffff:0:0:0'), 96, lastFour], // IPv4-translated, RFC 2765
  [parseV6('::'), 96, lastFour], // IPv4-compatible, RFC 4291
  [parseV6('64:ff9b::'), 96, lastFour], // NAT64, RFC 6052
  [parseV6('64:ff9b:1::'), 48, ownNat64], // RFC 8215
  [parseV6('2002::'), 16, (bytes) => bytes.slice(2, 6)], // 6to4, RFC 3056
]

function judgeV4(bytes: readonly number[]): string | undefined {
  for (const [prefix, bits, reason] of refusedV4) if (hasPrefix(bytes, prefix, bits)) return reason
  return undefined
}

function hasPrefix(bytes: readonly number[], prefix: readonly number[], bits: number): boolean {
  const whole = bits >> 3
  for (let at = 0; at < whole; at++) if (bytes[at] !== prefix[at]) return false
  const mask = 0xff00 >> (bits & 7)
  return (((bytes[whole] ?? 0) ^ (prefix[whole] ?? 0)) & mask & 0xff) === 0
}

function readAddress(address: string): readonly number[] | undefined {
  const family = isIP(address)
  if (family === 4) return address.split('.').map(Number)
  return family === 6 ? parseV6(withoutZone(address)) : undefined
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%')
  return zone < 0 ? address : address.slice(0, zone)
}

/** The 16 bytes of a valid IPv6 address. */
function parseV6(address: string): readonly number[] {
  // The URL parser turns a dotted tail into groups, so that only hexadecimal groups and "::" are left.
  const [left = '', right] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right ? right.split(':') : []
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
