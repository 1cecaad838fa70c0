import { afterEach, describe, expect, test } from 'bun:test'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Fault } from '../../core/fault.ts'
import { makeCertificate } from './certificate.fixture.ts'
import { ok, type ScriptedRequest, startServer, whenClosed } from './scripted-server.fixture.ts'
import { faultOf, makeTransport, never, patientTimeouts, post, readText } from './transport.fixture.ts'
import type { Transport, UpstreamResponse } from './transport.ts'

/** Requests whose body comes in pieces. */

const running: { stop(): void }[] = []
afterEach(() => {
  for (const item of running.splice(0)) item.stop()
})

function open(origin: URL, options: Parameters<typeof makeTransport>[1] = {}): Transport {
  const transport = makeTransport(origin, options)
  running.push({ stop: () => transport.close() })
  return transport
}

async function script(answer: (request: ScriptedRequest) => void) {
  const server = await startServer(answer)
  running.push(server)
  return server
}

function upload(transport: Transport, body: AsyncIterable<Uint8Array>, signal = never): Promise<UpstreamResponse> {
  return transport.request({ method: 'POST', path: '/v1', headers: {}, body }, signal)
}

/** Pieces with a count of how many were asked for, and whether the reader was done with them. */
function makeSource(count: number, piece: Uint8Array = Buffer.alloc(65_536, 'x')) {
  const state = { taken: 0, isClosed: false }
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      while (state.taken < count) {
        state.taken++
        yield piece
      }
    } finally {
      state.isClosed = true
    }
  }
  return { state, pieces: generate() }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5)
}

/** An upstream that reads everything and says how it was framed. */
async function startReader(certificate?: { cert: string; key: string }): Promise<URL> {
  const handle = async (request: IncomingMessage, response: { end(text: string): void }): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts)
    const { 'transfer-encoding': coding, 'content-length': length } = request.headers
    response.end(JSON.stringify({ coding, length, size: body.length, hash: Bun.hash(body).toString() }))
  }
  const server = certificate ? createSecureServer(certificate, handle) : createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  running.push({ stop: () => server.close() })
  return new URL(`${certificate ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`)
}

describe('a body in pieces', () => {
  const pieces = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(300_000, 'b'), Buffer.from([0, 255, 13, 10])]
  const whole = Buffer.concat(Array.from({ length: 20 }, () => pieces).flat())
  const expected = { coding: 'chunked', size: whole.length, hash: Bun.hash(whole).toString() }

  async function* generate(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 20; i++) yield* pieces
  }

  test('arrives whole, chunked, and the connection serves the next request', async () => {
    const transport = open(await startReader(), { maxConnections: 1 })
    for (let i = 0; i < 3; i++) {
      expect(JSON.parse(await readText(await upload(transport, generate())))).toEqual(expected)
      expect(JSON.parse(await readText(await post(transport, 'whole')))).toMatchObject({ length: '5', size: 5 })
    }
  })

  test('arrives whole over TLS', async () => {
    const certificate = makeCertificate(['localhost'])
    const transport = open(await startReader(certificate), { ca: certificate.ca })
    expect(JSON.parse(await readText(await upload(transport, generate())))).toEqual(expected)
  })

  test('an empty one', async () => {
    const transport = open(await startReader())
    const { pieces: none } = makeSource(0)
    expect(JSON.parse(await readText(await upload(transport, none)))).toMatchObject({ coding: 'chunked', size: 0 })
  })

  test('is asked for at the pace of the peer', async () => {
    const server = await script(() => {})
    const transport = open(server.origin)
    const { state, pieces: source } = makeSource(2_000)
    const pending = upload(transport, source).catch((error) => error)
    await until(() => server.sockets.length === 1)
    server.sockets[0]?.pause()
    let before = -1
    while (before !== state.taken) {
      before = state.taken
      await Bun.sleep(200)
    }
    // 125 MB are offered; what the kernel's and the socket's buffers hold is taken, and no more.
    expect(state.taken).toBeLessThan(400)
    server.sockets[0]?.destroy()
    expect(await pending).toBeInstanceOf(Fault)
    await until(() => state.isClosed)
  })
})

describe('what goes wrong', () => {
  test('a peer that takes no more is cut off after idleMs', async () => {
    const server = await script(() => {})
    const transport = open(server.origin, { timeouts: { ...patientTimeouts, idleMs: 150 } })
    const { state, pieces } = makeSource(2_000)
    const pending = upload(transport, pieces)
    void until(() => server.sockets.length === 1).then(() => server.sockets[0]?.pause())
    expect((await faultOf(pending, 'upstream-timeout')).message).toContain(
      'took no more of the request within 150 ms (idleMs)',
    )
    await until(() => state.isClosed)
  })

  test('a source that takes its time is not the peer’s silence', async () => {
    const transport = open(await startReader(), { timeouts: { ...patientTimeouts, idleMs: 50, firstByteMs: 50 } })
    async function* pause(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      await Bun.sleep(300)
      yield Buffer.from('b')
    }
    expect(JSON.parse(await readText(await upload(transport, pause())))).toMatchObject({ size: 2 })
  })

  test('a source that fails fails the request with its own Fault, and the peer never sees an end', async () => {
    const received: string[] = []
    const server = await script(() => {})
    const transport = open(server.origin)
    async function* fail(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc')
      await until(() => server.sockets.length === 1)
      server.sockets[0]?.on('data', (bytes) => received.push(bytes.toString()))
      yield Buffer.from('def')
      throw new Fault('body-too-large', 'too large')
    }
    await faultOf(upload(transport, fail()), 'body-too-large')
    await whenClosed(server.sockets[0]!)
    expect(received.join('')).not.toContain('0\r\n\r\n')
  })

  test('aborting closes the connection and the source', async () => {
    const server = await script(() => {})
    const transport = open(server.origin)
    const abort = new AbortController()
    const { state, pieces } = makeSource(2_000)
    const pending = upload(transport, pieces, abort.signal)
    await until(() => state.taken > 3)
    abort.abort()
    await faultOf(pending, 'client-gone')
    await whenClosed(server.sockets[0]!)
    await until(() => state.isClosed)
  })

  test('an answer before the end is taken, the rest is not sent and the connection not used again', async () => {
    const refusal = 'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno'
    const server = await script(({ socket, connection }) => socket.write(connection === 0 ? refusal : ok()))
    const transport = open(server.origin)
    let isClosed = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield Buffer.alloc(1000)
          await Bun.sleep(1)
        }
      } finally {
        isClosed = true
      }
    }
    const response = await upload(transport, endless())
    expect([response.status, await readText(response)]).toEqual([413, 'no'])
    await until(() => isClosed)
    await whenClosed(server.sockets[0]!)
    expect(await readText(await post(transport))).toBe('ok')
    expect(server.sockets.length).toBe(2)
  })
})

describe('a body that can be read once', () => {
  /** Serves one request per connection, then drops it when the next comes. */
  const forgetful = ({ socket, turn }: ScriptedRequest) => (turn === 0 ? socket.write(ok()) : socket.destroy())

  test('does not go on a connection that may be stale', async () => {
    const server = await script(forgetful)
    const transport = open(server.origin)
    await readText(await post(transport))
    const { state, pieces } = makeSource(3)
    expect(await readText(await upload(transport, pieces))).toBe('ok')
    expect([state.taken, server.sockets.length]).toEqual([3, 2])
  })

  test('is not sent again when there was no other connection', async () => {
    const server = await script(forgetful)
    const transport = open(server.origin, { maxConnections: 1 })
    await readText(await post(transport))
    const { state, pieces } = makeSource(1)
    await faultOf(upload(transport, pieces), 'upstream-failed')
    expect(state.taken).toBe(1)
    // What can be sent again is.
    await readText(await post(transport))
    expect(await readText(await post(transport))).toBe('ok')
  })

  test('is not touched when there is no connection', async () => {
    const server = await script(() => {})
    const { origin } = server
    server.stop()
    const { state, pieces } = makeSource(3)
    await faultOf(upload(open(origin), pieces), 'upstream-unavailable')
    expect(state.taken).toBe(0)
  })
})
