import { isIP } from 'node:net'
import { Fault } from '../../../core/fault.ts'
import { normalizeHost } from './address-guard.ts'

/** The values of HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
export type ProxySettings = {
  readonly httpsProxy?: string | undefined
  readonly httpProxy?: string | undefined
  readonly noProxy?: string | undefined
}

export type HttpProxy = {
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** Value of `proxy-authorization`, from the user and password in the URL. */
  readonly authorization: string | undefined
}

/**
 * The proxy through which `origin` is reached, or undefined for a direct connection. Throws Fault `upstream-misconfigured` for a
 * setting that is not an `http://` URL; the message does not repeat it, since it may hold a password.
 */
export function chooseProxy(origin: URL, settings: ProxySettings): HttpProxy | undefined {
  const isTls = origin.protocol === 'https:'
  const setting = isTls ? settings.httpsProxy : settings.httpProxy
  if (!setting || isLoopback(origin.hostname) || isExempt(origin, settings.noProxy ?? '')) return undefined
  return readProxy(setting, isTls ? 'HTTPS_PROXY' : 'HTTP_PROXY')
}

function readProxy(setting: string, name: string): HttpProxy {
  const text = setting.includes('://') ? setting : `http://${setting}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  const host = url && normalizeHost(url.hostname)
  if (!url || !host || url.protocol !== 'http:') {
    throw new Fault('upstream-misconfigured', `${name} must be a URL like http://user:password@host:port`)
  }
  return { host, port: Number(url.port || 80), authorization: writeBasic(url) }
}

function writeBasic(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  const pair = `${decodePart(url.username)}:${decodePart(url.password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A bare "%" in a password.
    return text
  }
}

function isLoopback(hostname: string): boolean {
  const host = normalizeHost(hostname) ?? hostname
  if (isIP(host) === 4) return host.startsWith('127.')
  return host === '::1' || host === 'localhost' || host.endsWith('.localhost')
}

/**
 * NO_PROXY as curl and Go read it: entries parted by commas or blanks; `*` is everything, `example.com` that name and the names
 * under it, `.example.com` (or `*.example.com`) only those under it, and an entry with a port only that port.
 */
function isExempt(origin: URL, noProxy: string): boolean {
  const host = (normalizeHost(origin.hostname) ?? origin.hostname).replace(/\.$/, '')
  const port = origin.port || (origin.protocol === 'https:' ? '443' : '80')
  for (const entry of noProxy.toLowerCase().split(/[\s,]+/)) {
    if (entry === '*') return true
    const pattern = splitPort(entry)
    if (pattern.host === '' || (pattern.port !== '' && pattern.port !== port)) continue
    if (matchesHost(host, pattern.host)) return true
  }
  return false
}

function matchesHost(host: string, pattern: string): boolean {
  if (pattern.startsWith('*.')) return host.endsWith(pattern.slice(1))
  if (pattern.startsWith('.')) return host.endsWith(pattern)
  const exact = normalizeHost(pattern) ?? pattern
  return host === exact || (isIP(host) === 0 && host.endsWith(`.${exact}`))
}

function splitPort(entry: string): { host: string; port: string } {
  const isBareV6 = isIP(entry) === 6
  const match = isBareV6 ? null : /^(.*):(\d+)$/.exec(entry)
  return match ? { host: match[1] as string, port: match[2] as string } : { host: entry, port: '' }
}
