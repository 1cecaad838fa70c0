import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to a request: it is passed on, refused with 503, cut off, or passed on and its answer cut off. */
export type Accident = 'pass' | 'refuse' | 'cut' | 'lose-answer'

export type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  status?: number
}

export type FlakyProxy = { readonly url: string; readonly seen: Seen[]; stop(): Promise<void> }

/** A bad way to a store. `decide` is asked for every request; `number` counts from 0. */
export async function startFlakyProxy(
  target: string,
  decide: (request: Seen, number: number) => Accident,
): Promise<FlakyProxy> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const one: Seen = { method, url, headers }
    const accident = decide(one, seen.length)
    seen.push(one)
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
    if (accident === 'cut') return void request.socket.destroy()
    if (accident === 'refuse') return void response.writeHead(503, { 'retry-after': '0' }).end()
    // The host stays as it was: signatures and sources of copies name it.
    const { connection: _connection, ...passed } = headers
    const answer = await fetch(target + url, {
      method,
      headers: passed as Record<string, string>,
      body: method === 'GET' || method === 'HEAD' ? undefined : body,
      redirect: 'manual',
    })
    one.status = answer.status
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (accident === 'lose-answer') return void request.socket.destroy()
    const names = [...answer.headers].filter(([name]) => !/^(transfer-encoding|connection|keep-alive)$/.test(name))
    response.writeHead(answer.status, Object.fromEntries(names)).end(bytes)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
