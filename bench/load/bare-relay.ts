import { createTransport } from '../../src/backend/transport/create-transport.ts'
import { serveParent } from './child.ts'

/**
 * The least that a gateway on this runtime can be: `Bun.serve`, our own transport, request and whole answer parsed once, bytes
 * passed on. No routing, no keys, no checks. What Ponto costs beyond this is what Ponto does.
 */

const transport = createTransport({
  origin: new URL(process.argv[2] as string),
  timeouts: { connectMs: 5_000, firstByteMs: 30_000, idleMs: 30_000, totalMs: 60_000 },
  maxConnections: 1024,
  maxIdleMs: 60_000,
})
const headers = { 'content-type': 'application/json' }
const decoder = new TextDecoder()

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  async fetch(request) {
    const body = await request.text()
    JSON.parse(body)
    const path = new URL(request.url).pathname
    const answer = await transport.request({ method: 'POST', path, headers, body }, request.signal)
    const type = answer.headers['content-type'] ?? ''
    if (type.startsWith('text/event-stream')) {
      return new Response(answer.body as unknown as BodyInit, { headers: { 'content-type': type } })
    }
    const parts: Uint8Array[] = []
    for await (const part of answer.body) parts.push(part.slice())
    const bytes = Buffer.concat(parts)
    JSON.parse(decoder.decode(bytes))
    return new Response(bytes, { status: answer.status, headers: { 'content-type': type } })
  },
})
serveParent(server.port)
