import { isIP } from 'node:net'
import { Fault } from '../core/fault.ts'

/** What Azure names a resource's hosts, most specific service first. */
export const azureSuffixes = ['services.ai.azure.com', 'openai.azure.com', 'cognitiveservices.azure.com'] as const

/**
 * Names the certificate carries whatever else is asked for. Some clients (OpenSSL, curl, Node) take no wildcard directly below a
 * top-level name: for those a name such as `api.localhost` has to be given with `--san`.
 */
const localNames = ['localhost', '*.localhost', '127.0.0.1', '::1']

const labelPattern = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/
/** Azure's rule for the custom subdomain of a resource. */
const resourceNamePattern = /^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$/

export type ServerNameChoices = {
  /** The listening address; one that is neither loopback nor "all" goes into the certificate. */
  readonly host?: string | undefined
  /** Resource name of `--name`. */
  readonly resourceName?: string | undefined
  /** Names and addresses of `--san`. */
  readonly extra?: readonly string[] | undefined
}

/**
 * The names and addresses the certificate is made for, in canonical spelling, each once.
 *
 * @throws Fault `invalid-request` naming the flag and the value.
 */
export function listServerNames(choices: ServerNameChoices): string[] {
  const names = [...localNames]
  if (choices.host && !isEveryAddress(choices.host)) names.push(canonicalName(choices.host, '--host'))
  if (choices.resourceName) names.push(...azureHostNames(choices.resourceName))
  for (const name of choices.extra ?? []) names.push(canonicalName(name, '--san'))
  return [...new Set(names)]
}

/** The three host names clients derive from a resource name. */
export function azureHostNames(resourceName: string): string[] {
  const name = resourceName.toLowerCase()
  if (!resourceNamePattern.test(name)) {
    throw new Fault(
      'invalid-request',
      `--name "${resourceName}" is not a resource name: 2 to 64 letters, digits or "-", not beginning or ending with "-".`,
    )
  }
  return azureSuffixes.map((suffix) => `${name}.${suffix}`)
}

/** Whether a listening address means every interface. */
export function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '*'
}

/** Whether only this machine can reach a listening address. */
export function isLoopback(host: string): boolean {
  const bare = stripBrackets(host.toLowerCase())
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  if (isIP(bare) === 4) return bare.startsWith('127.')
  return isIP(bare) === 6 && canonicalAddress(bare) === '::1'
}

function canonicalName(given: string, flag: string): string {
  const name = stripBrackets(given.trim().toLowerCase().replace(/\.$/, ''))
  if (isIP(name)) return canonicalAddress(name)
  const labels = name.split('.')
  const plain = labels[0] === '*' && labels.length > 1 ? labels.slice(1) : labels
  if (name.length > 253 || !plain.every((label) => labelPattern.test(label))) {
    throw new Fault(
      'invalid-request',
      `${flag} "${given}" is neither a host name nor an IP address. Write an international name in its "xn--" form.`,
    )
  }
  return name
}

/** One spelling per address: `0:0::1` and `::1` are the same. Zones (`%eth0`) do not belong to a certificate. */
export function canonicalAddress(address: string): string {
  const bare = address.replace(/%.*$/, '')
  return isIP(bare) === 6 ? stripBrackets(new URL(`http://[${bare}]/`).hostname) : bare
}

function stripBrackets(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
}

/** Network-order octets of an IPv4 (4) or IPv6 (16) address. */
export function addressOctets(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = canonicalAddress(address).split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const middle = Array<string>(tail === undefined ? 0 : 8 - left.length - right.length).fill('0')
  return Buffer.from([...left, ...middle, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex')
}
