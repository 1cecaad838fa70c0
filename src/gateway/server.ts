import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../core/fault.ts'

export type TlsPair = { readonly cert: string; readonly key: string }

export type ListenOptions = {
  readonly host: string
  readonly port: number
  readonly tls?: TlsPair | undefined
  readonly handle: (request: Request) => Promise<Response>
}

export type Listener = {
  readonly url: string
  readonly port: number
  /** Takes connections with the new pair from now on; those that stand keep theirs until they end. */
  renewTls(tls: TlsPair): void
  /** Stops taking connections, lets answers in progress end for at most `drainMs`, and closes. */
  stop(drainMs: number): Promise<void>
}

/** Cuts off a connection that has sent no whole request, or nothing at all, for this long. Answers have no such limit. */
const idleTimeoutS = 30

const drainPollMs = 10

/** Larger bodies are refused by the gateway with an answer in the caller's shape; this is only the last line. */
const hardBodyLimitBytes = 512 * 1024 * 1024

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

function serve({ host, handle }: ListenOptions, port: number, tls: TlsPair | undefined): Bun.Server<undefined> {
  return Bun.serve({
    hostname: host,
    port,
    reusePort: true,
    ...(tls && { tls }),
    idleTimeout: idleTimeoutS,
    maxRequestBodySize: hardBodyLimitBytes,
    development: false,
    fetch(request, server) {
      server.timeout(request, 0)
      return handle(request)
    },
    error: () =>
      new Response('{"error":{"code":"InternalServerError","message":"The server had an error."}}', {
        status: 500,
        headers: { 'content-type': 'application/json' },
      }),
  })
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
