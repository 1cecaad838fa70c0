import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type SeenRequest = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type FakeService = {
  readonly origin: string
  readonly requests: SeenRequest[]
  /** Resolves when a request that was left unanswered was given up by its sender. */
  readonly whenGivenUp: () => Promise<void>
  /** How it answers from now on. Never, where it does nothing. */
  answer: (response: ServerResponse, request: SeenRequest) => void
  stop(): void
}

/** A safety service on a free port of this machine. */
export async function startFakeService(): Promise<FakeService> {
  const requests: SeenRequest[] = []
  let [isGivenUp, tell] = [false, () => {}]
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
      requests.push(seen)
      service.answer(response, seen)
    })
    response.on('close', () => {
      if (response.writableFinished) return
      isGivenUp = true
      tell()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const service: FakeService = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: () => {},
    whenGivenUp: () => (isGivenUp ? Promise.resolve() : new Promise((resolve) => (tell = resolve))),
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
  return service
}
