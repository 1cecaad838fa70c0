import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a scripted upstream does with one request, in order. */
export type Step =
  | { readonly do: 'head'; readonly status?: number; readonly headers?: Record<string, string> }
  | { readonly do: 'send'; readonly text: string | Uint8Array }
  | { readonly do: 'wait'; readonly ms: number }
  /** Waits for what the test decides. */
  | { readonly do: 'until'; readonly promise: Promise<unknown> }
  /** Waits until the caller hangs up. */
  | { readonly do: 'stall' }
  /** Breaks the connection without ending the answer. */
  | { readonly do: 'cut' }
  | { readonly do: 'end' }

export type SeenRequest = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** The body as it came: forms hold more than text. */
  readonly bytes: Buffer
  /** Unix milliseconds at which the request had been read. */
  readonly receivedAtMs: number
  /** Resolves when the answer is over: true when it was sent whole, false when the connection broke. */
  readonly finished: Promise<boolean>
}

export type Responder = (request: SeenRequest) => readonly Step[] | Promise<readonly Step[]>

export type FakeUpstream = {
  readonly url: string
  readonly requests: SeenRequest[]
  /** How the next requests are answered; the last script stays. */
  script(...scripts: (readonly Step[])[]): void
  /** From now on each answer is chosen by what was asked, and scripts play no part. */
  respond(choose: Responder): void
  stop(): Promise<void>
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): readonly Step[] {
  return [
    { do: 'head', status, headers: { 'content-type': 'application/json', ...headers } },
    { do: 'send', text: typeof body === 'string' ? body : JSON.stringify(body) },
    { do: 'end' },
  ]
}

export const sseHead: Step = { do: 'head', headers: { 'content-type': 'text/event-stream' } }

export function sse(...payloads: readonly unknown[]): readonly Step[] {
  return [sseHead, ...payloads.map(event), { do: 'send', text: 'data: [DONE]\n\n' }, { do: 'end' }]
}

export function event(payload: unknown): Step {
  return { do: 'send', text: `data: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n` }
}

/** An upstream on loopback that does exactly what it is told and remembers what it was sent. */
export async function startFakeUpstream(): Promise<FakeUpstream> {
  const requests: SeenRequest[] = []
  let scripts: (readonly Step[])[] = [json({ error: { message: 'no script' } }, 500)]
  let responder: Responder | undefined
  const nextScript = (): Responder => {
    const script = (scripts.length > 1 ? scripts.shift() : scripts[0]) as readonly Step[]
    return () => script
  }
  const server = createServer((request, response) => {
    void play(request, response, responder ?? nextScript(), requests)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script(...next) {
      scripts = next
    },
    respond(choose) {
      responder = choose
    },
    stop() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function play(
  request: IncomingMessage,
  response: ServerResponse,
  choose: Responder,
  requests: SeenRequest[],
): Promise<void> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk)
  } catch {
    // Its caller hung up in the middle of it: a request that was not made.
    return
  }
  const bytes = Buffer.concat(chunks)
  const finished = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.writableFinished))
  })
  const seen: SeenRequest = {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body: bytes.toString(),
    bytes,
    receivedAtMs: Date.now(),
    finished,
  }
  requests.push(seen)
  for (const step of await choose(seen)) {
    if (response.destroyed) return
    switch (step.do) {
      case 'head':
        response.writeHead(step.status ?? 200, step.headers)
        response.flushHeaders()
        break
      case 'send':
        if (!response.write(step.text)) await Promise.race([once(response, 'drain'), finished])
        break
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, step.ms))
        break
      case 'until':
        await Promise.race([step.promise, finished])
        break
      case 'stall':
        await finished
        return
      case 'cut':
        await new Promise((resolve) => setTimeout(resolve, 20))
        request.socket.destroy()
        return
      case 'end':
        response.end()
    }
  }
}

function once(response: ServerResponse, name: string): Promise<void> {
  return new Promise((resolve) => response.once(name, () => resolve()))
}
