import { Fault } from '../core/fault.ts'
import { type Handle, type Listener, listen } from '../gateway/server.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { DataFolder } from './folder/data-folder.ts'
import { isEveryAddress, isLoopback } from './server-names.ts'
import { openLocalCertificate } from './tls/certificate.ts'
import { readCertificatePair, watchCertificate } from './tls/watch-certificate.ts'

export type ListenChoices = {
  readonly host: string
  readonly port: number
  readonly httpPort: number
  /** Whether plain HTTP may be offered beyond loopback. */
  readonly http: boolean
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
}

export type Listeners = {
  readonly https: Listener
  readonly http: Listener | undefined
  readonly httpsUrl: string
  readonly httpUrl: string | undefined
  readonly isLocalCertificate: boolean
  readonly notices: readonly string[]
  /** To be called when the server has other names: a local certificate that is not for all of them is issued anew and used from then on. */
  refreshNames(): void
  /** Stops taking connections, lets answers in progress end for at most `drainMs`, and closes. */
  stop(drainMs: number): Promise<void>
}

const dayMs = 86_400_000

/**
 * Opens the HTTPS port, and the HTTP port where plain HTTP stays on this machine or was asked for, and keeps the certificate fresh:
 * an operator's own when its files change, the local one when it comes to its end. Rejects with Fault `conflict` naming the flag.
 */
export async function openListeners(
  choices: ListenChoices,
  /** The names and addresses of the server now. */
  names: () => readonly string[],
  folder: DataFolder,
  log: Logger,
  handle: Handle,
): Promise<Listeners> {
  const { host, port, httpPort, tlsCert, tlsKey } = choices
  const own = tlsCert && tlsKey ? { certificateFile: tlsCert, keyFile: tlsKey } : undefined
  const local = own ? undefined : openLocalCertificate(folder, names(), new Date())
  const pair = local ?? readCertificatePair(own as NonNullable<typeof own>, new Date())

  const https = await listenOn('--port', host, port, handle, { cert: pair.certificate, key: pair.key })
  let http: Listener | undefined
  try {
    if (isLoopback(host) || choices.http) http = await listenOn('--http-port', host, httpPort, handle)
  } catch (error) {
    await https.stop(0)
    throw error
  }

  const renew = (renewed: { certificate: string; key: string }): void => {
    https.renewTls({ cert: renewed.certificate, key: renewed.key })
    log.info({}, 'the renewed certificate is in use')
  }
  const watch = own
    ? {
        close: watchCertificate({ ...own, current: pair, onRenewed: renew, onWarning: (text) => log.warn({}, text) }),
        // What an operator's own certificate is for is his affair.
        check: () => {},
      }
    : watchLocalCertificate(folder, names, pair.certificate, renew, log)

  const urlHost = isEveryAddress(host) || isLoopback(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return {
    https,
    http,
    httpsUrl: `https://${urlHost}:${https.port}`,
    httpUrl: http && `http://${urlHost}:${http.port}`,
    isLocalCertificate: own === undefined,
    notices: local?.notices ?? [],
    refreshNames: watch.check,
    async stop(drainMs) {
      watch.close()
      await Promise.all([https.stop(drainMs), http?.stop(drainMs)])
    },
  }
}

async function listenOn(
  flag: string,
  host: string,
  port: number,
  handle: Handle,
  tls?: { cert: string; key: string },
): Promise<Listener> {
  try {
    return await listen({ host, port, handle, tls })
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new Fault('conflict', `${error.message} Choose another one with ${flag}, or 0 for any free one.`)
  }
}

function watchLocalCertificate(
  folder: DataFolder,
  names: () => readonly string[],
  served: string,
  onRenewed: (pair: { certificate: string; key: string }) => void,
  log: Logger,
): { check(): void; close(): void } {
  let current = served
  const check = () => {
    try {
      const pair = openLocalCertificate(folder, names(), new Date())
      if (pair.certificate === current) return
      current = pair.certificate
      onRenewed(pair)
    } catch (error) {
      // The served one is good for another month: told each day until somebody frees the disk or mends the mode.
      log.error({ err: error }, 'the local certificate could not be renewed')
    }
  }
  const timer = setInterval(check, dayMs)
  timer.unref()
  return { check, close: () => clearInterval(timer) }
}
