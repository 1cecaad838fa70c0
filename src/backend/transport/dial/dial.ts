import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Fault } from '../../../core/fault.ts'
import type { HttpProxy } from './proxy.ts'
import { type Lookup, resolveHost } from './resolve.ts'
import { trustRoots } from './trust.ts'
import { openTunnel } from './tunnel.ts'

/** How an origin is reached; made once per transport. */
export type DialPlan = {
  /** Names the origin in messages: "https://host:port". */
  readonly peer: string
  readonly isTls: boolean
  /** Without brackets. */
  readonly host: string
  readonly port: number
  readonly proxy: HttpProxy | undefined
  readonly ca: string | undefined
  readonly allowAddress: ((address: string) => boolean) | undefined
  readonly lookup: Lookup | undefined
  /** The last TLS session, for a shorter handshake. */
  session?: Buffer | undefined
}

/** After how long without a connection the next address of a name is tried beside the first (RFC 8305). */
const nextAddressAfterMs = 250
const keepAliveAfterMs = 30_000

/**
 * A socket on which HTTP can be spoken: connected, through the proxy if there is one, and with TLS verified if the origin wants it.
 * Rejects with Fault `upstream-unavailable`, or with the signal's reason; nothing is left open then.
 */
export async function dial(plan: DialPlan, signal: AbortSignal): Promise<Socket> {
  const { proxy, lookup, allowAddress } = plan
  // The proxy resolves a name itself, but an address in the URL can be judged here.
  if (proxy && isIP(plan.host) !== 0) await resolveHost(plan.host, plan.peer, lookup, allowAddress)
  const near = proxy ?? plan
  const addresses = await orAbort(resolveHost(near.host, plan.peer, lookup, allowAddress), signal)
  const socket = await connectFirst(addresses, near.port, plan, signal)
  const stop = () => socket.destroy()
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    if (proxy && plan.isTls) await openTunnel(socket, plan, proxy)
    return plan.isTls ? await startTls(socket, plan) : socket
  } catch (error) {
    socket.destroy()
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Resolving a name cannot be stopped, but need not be waited for. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(signal.reason)
    if (signal.aborted) cancel()
    signal.addEventListener('abort', cancel)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel))
  })
}

/** The first of the addresses that answers. A slow one is not waited for: the next is tried beside it. */
function connectFirst(
  addresses: readonly string[],
  port: number,
  plan: DialPlan,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const open = new Set<Socket>()
    const failures: string[] = []
    let next = 0
    let timer: NodeJS.Timeout | undefined
    const settle = (winner?: Socket) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
      next = addresses.length
      for (const socket of open) if (socket !== winner) socket.destroy()
      open.clear()
    }
    const cancel = () => {
      settle()
      reject(signal.reason)
    }
    const tryNext = () => {
      clearTimeout(timer)
      const address = addresses[next++]
      if (address === undefined) {
        if (open.size === 0) {
          settle()
          reject(new Fault('upstream-unavailable', `no connection to ${plan.peer}: ${failures.join('; ')}`))
        }
        return
      }
      const socket = connectTcp({
        host: address,
        port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: keepAliveAfterMs,
      })
      open.add(socket)
      socket.once('connect', () => {
        if (!open.has(socket)) return
        settle(socket)
        resolve(socket)
      })
      // Stays on the socket for good: an error that nobody listens to would end the process.
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (!open.delete(socket)) return
        const via = plan.proxy ? 'proxy ' : ''
        failures.push(`${via}${isIP(address) === 6 ? `[${address}]` : address}:${port} ${error.code ?? error.message}`)
        tryNext()
      })
      if (next < addresses.length) timer = setTimeout(tryNext, nextAddressAfterMs)
    }
    if (signal.aborted) {
      cancel()
      return
    }
    signal.addEventListener('abort', cancel)
    tryNext()
  })
}

function startTls(socket: Socket, plan: DialPlan): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const secured = connectTls({
      socket,
      host: plan.host,
      // Server names are names: RFC 6066 forbids addresses, against which `host` is checked instead.
      servername: isIP(plan.host) === 0 ? plan.host : '',
      secureContext: trustRoots(plan.ca),
      session: plan.session,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: true,
    })
    secured.once('secureConnect', () => resolve(secured))
    secured.on('session', (session: Buffer) => {
      plan.session = session
    })
    secured.on('error', (error: NodeJS.ErrnoException) => {
      plan.session = undefined
      const reason = error.code ? `${error.message} (${error.code})` : error.message
      reject(new Fault('upstream-unavailable', `no TLS connection to ${plan.peer}: ${reason}${hintTrust(error.code)}`))
    })
    secured.once('close', () => {
      reject(new Fault('upstream-unavailable', `no TLS connection to ${plan.peer}: it was closed during the handshake`))
    })
  })
}

const trustCodes = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
])

function hintTrust(code: string | undefined): string {
  return code && trustCodes.has(code)
    ? '; if a private authority signed its certificate, give that authority as the CA'
    : ''
}
