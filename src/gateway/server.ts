import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../core/fault.ts'

export type TlsPair = { readonly cert: string; readonly key: string }

/**
 * Tells the server whose turn it is on a request's connection. While it is the caller's, to send the request or to take what was
 * written, a connection on which nothing moves is cut off after the idle limit. While it is ours there is none: models may think.
 */
export type SetTurn = (turn: 'caller' | 'ours') => void

/** The address of the other end of the connection, '' when it has gone. Asking costs a little. */
export type ReadAddress = () => string

/** Answers one request, `url` being its URL parsed. It begins in the caller's turn and has to end in it. */
export type Handle = (request: Request, url: URL, setTurn: SetTurn, readAddress: ReadAddress) => Promise<Response>

export type ListenOptions = {
  readonly host: string
  readonly port: number
  readonly tls?: TlsPair | undefined
  readonly handle: Handle
  /** Seconds, at most 255; 30 when absent. Bun counts in steps of 4. */
  readonly idleLimitS?: number | undefined
}

export type Listener = {
  readonly url: string
  readonly port: number
  /** Takes connections with the new pair from now on; those that stand keep theirs until they end. */
  renewTls(tls: TlsPair): void
  /** Stops taking connections, lets answers in progress end for at most `drainMs`, and closes. */
  stop(drainMs: number): Promise<void>
}

/** A body that arrives at less than 16 kB/s counts as idle too, once it takes longer than this. */
const defaultIdleLimitS = 30

const drainPollMs = 10

/** Each route has a limit of its own, and an answer in the caller's shape; Bun's, which applies to files too, only has to be beyond all of them. */
const hardBodyLimitBytes = 64 * 1024 ** 3

/**
 * Opens a port. `reusePort` lets a second listener with a renewed certificate take over without a gap, so whether somebody else
 * holds the port is asked first. Rejects with Fault `conflict` when the port is taken.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, tls } = options
  if (options.port !== 0) await requireFreePort(host, options.port)
  let current = serve(options, options.port, tls)
  const port = current.port as number
  const replaced = new Set<Bun.Server<undefined>>()
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    renewTls(renewed) {
      const old = current
      current = serve(options, port, renewed)
      replaced.add(old)
      void old.stop(false).then(() => replaced.delete(old))
    },
    async stop(drainMs) {
      const servers = [...replaced, current]
      for (const server of servers) void server.stop(false)
      // Connections that are kept alive without a request would hold a graceful stop up, so requests are what is waited for.
      const endMs = performance.now() + drainMs
      while (servers.some((server) => server.pendingRequests > 0) && performance.now() < endMs) await sleep(drainPollMs)
      await Promise.all(servers.map((server) => server.stop(true)))
    },
  }
}

function serve(options: ListenOptions, port: number, tls: TlsPair | undefined): Bun.Server<undefined> {
  const { host, handle, idleLimitS = defaultIdleLimitS } = options
  return Bun.serve({
    hostname: host,
    port,
    reusePort: true,
    ...(tls && { tls }),
    idleTimeout: idleLimitS,
    maxRequestBodySize: hardBodyLimitBytes,
    development: false,
    fetch(request, server) {
      // The URL of a request is made with its Host header: one that holds more than a name would say where the path begins.
      const url = hostPattern.test(request.headers.get('host') ?? '') ? URL.parse(request.url) : null
      if (!url) return writeError(400, 'BadRequest', 'The Host header is not a host name or address.')
      return handle(
        request,
        url,
        (turn) => server.timeout(request, turn === 'caller' ? idleLimitS : 0),
        () => server.requestIP(request)?.address ?? '',
      )
    },
    error: () => writeError(500, 'InternalServerError', 'The server had an error.'),
  })
}

const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i

function writeError(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status })
}

function requireFreePort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be opened (${error.code ?? error.message})`
      reject(new Fault('conflict', `Port ${port} on ${host} ${why}.`, { cause: error }))
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
}
