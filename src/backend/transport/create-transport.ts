import { Fault } from '../../core/fault.ts'
import { normalizeHost } from './dial/address-guard.ts'
import { chooseProxy, type ProxySettings } from './dial/proxy.ts'
import type { Lookup } from './dial/resolve.ts'
import { trustRoots } from './dial/trust.ts'
import { type RequestFrame, writeRequest } from './http/request-writer.ts'
import { PendingRequest } from './pending-request.ts'
import { Pool } from './pool.ts'
import type { Timeouts, Transport, UpstreamRequest, UpstreamResponse } from './transport.ts'

export type TransportOptions = {
  /** Scheme, host and port; a path is not used. */
  readonly origin: URL
  readonly timeouts: Timeouts
  /** PEM certificates of authorities trusted besides the bundled and the system's. */
  readonly ca?: string | undefined
  readonly proxy?: ProxySettings | undefined
  /** Connections at one time. When all are busy, requests wait for at most `connectMs`. */
  readonly maxConnections: number
  /** How many may wait; 1,000 when absent. */
  readonly maxQueued?: number | undefined
  /** Milliseconds for which a connection without a request is kept. */
  readonly maxIdleMs: number
  /** For tests: stands in for the judgement of addresses. */
  readonly allowAddress?: ((address: string) => boolean) | undefined
  /** For tests: stands in for the system's name resolution. */
  readonly lookup?: Lookup | undefined
}

/**
 * A transport over HTTP/1.1 on `node:net` and `node:tls`. No connection is made before the first request. Throws Fault
 * `upstream-misconfigured` for an origin, a proxy setting or a CA certificate that cannot work.
 */
export function createTransport(options: TransportOptions): Transport {
  const { origin, timeouts } = options
  const host = normalizeHost(origin.hostname)
  const isTls = origin.protocol === 'https:'
  if (!host || (!isTls && origin.protocol !== 'http:')) {
    throw new Fault(
      'upstream-misconfigured',
      `the address ${origin.protocol}//${origin.host} must begin with http:// or https://`,
    )
  }
  // A bad certificate is the operator's to mend now, not at the first request.
  if (isTls && options.ca) trustRoots(options.ca)
  const proxy = chooseProxy(origin, options.proxy ?? {})
  const isForwarded = proxy !== undefined && !isTls
  const frame: RequestFrame = {
    host: origin.host,
    prefix: isForwarded ? origin.origin : '',
    proxyAuthorization: isForwarded ? proxy.authorization : undefined,
  }
  const pool = new Pool({
    plan: {
      peer: origin.origin,
      isTls,
      host,
      port: Number(origin.port || (isTls ? 443 : 80)),
      proxy,
      ca: options.ca,
      allowAddress: options.allowAddress,
      lookup: options.lookup,
    },
    timeouts,
    maxConnections: options.maxConnections,
    maxQueued: options.maxQueued ?? 1000,
    maxIdleMs: options.maxIdleMs,
  })
  const request = (message: UpstreamRequest, signal: AbortSignal): Promise<UpstreamResponse> =>
    new Promise((resolve, reject) => {
      const text = writeRequest(message, frame)
      if (signal.aborted) throw new Fault('client-gone', 'the caller went away')
      const pieces = typeof message.body === 'object' ? message.body : undefined
      pool.submit(new PendingRequest(text, pieces, performance.now() + timeouts.totalMs, signal, resolve, reject))
    })
  return { request, close: () => pool.close() }
}
