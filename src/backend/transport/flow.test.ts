import { afterEach, describe, expect, test } from 'bun:test'
import { createServer, type Socket } from 'node:net'
import { makeCertificate } from './certificate.fixture.ts'
import { ResponseBody } from './http/response-body.ts'
import { ok, type ScriptedRequest, startServer, whenClosed } from './scripted-server.fixture.ts'
import { faultOf, makeTransport, patientTimeouts, post, readText } from './transport.fixture.ts'
import type { Timeouts, Transport } from './transport.ts'

const running: { stop(): void }[] = []
afterEach(() => {
  for (const item of running.splice(0)) item.stop()
})

async function setUp(script: (request: ScriptedRequest) => void, timeouts: Partial<Timeouts> = {}, maxConnections = 8) {
  const server = await startServer(script)
  const transport = makeTransport(server.origin, { timeouts: { ...patientTimeouts, ...timeouts }, maxConnections })
  running.push(server, { stop: () => transport.close() })
  return { server, transport }
}

/** Asserts that nothing is left of a failed request: its socket closed, and another one served by the same transport. */
async function expectRecovery(sockets: readonly Socket[], transport: Transport): Promise<void> {
  await whenClosed(sockets[0]!)
  expect(await readText(await post(transport, 'again'))).toBe('ok')
}

describe('timeouts', () => {
  const answerAgain = ({ text, socket }: ScriptedRequest) => text.endsWith('again') && socket.write(ok())

  test('no answer begins within firstByteMs', async () => {
    const { server, transport } = await setUp(answerAgain, { firstByteMs: 250 })
    expect((await faultOf(post(transport), 'upstream-timeout')).message).toContain('250 ms (firstByteMs)')
    await expectRecovery(server.sockets, transport)
  })

  test('interim answers and half a status line do not count as an answer', async () => {
    const { transport } = await setUp(({ socket }) => socket.write('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 2'), {
      firstByteMs: 50,
    })
    expect((await faultOf(post(transport), 'upstream-timeout')).message).toContain('firstByteMs')
  })

  test('an answer that is slow to begin, but not too slow', async () => {
    const script = ({ socket }: ScriptedRequest) => setTimeout(() => socket.write(ok()), 150)
    const { transport } = await setUp(script, { idleMs: 20 })
    expect(await readText(await post(transport))).toBe('ok')
  })

  test('silence in the head', async () => {
    const { transport } = await setUp(({ socket }) => socket.write('HTTP/1.1 200 OK\r\n'), { idleMs: 50 })
    expect((await faultOf(post(transport), 'upstream-timeout')).message).toContain('50 ms (idleMs)')
  })

  test('silence in the body: what came, then a fault', async () => {
    const script = (request: ScriptedRequest) =>
      answerAgain(request) || request.socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello')
    const { server, transport } = await setUp(script, { idleMs: 50 })
    const parts = (await post(transport)).body[Symbol.asyncIterator]()
    expect(Buffer.from((await parts.next()).value as Uint8Array).toString()).toBe('hello')
    expect((await faultOf(parts.next() as Promise<unknown>, 'upstream-timeout')).message).toContain('50 ms (idleMs)')
    await expectRecovery(server.sockets, transport)
  })

  test('a drip keeps an answer alive until totalMs', async () => {
    let drip: NodeJS.Timeout | undefined
    const script = ({ socket }: ScriptedRequest) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n')
      drip = setInterval(() => socket.write('x'), 10)
    }
    const { server, transport } = await setUp(script, { idleMs: 10_000, totalMs: 300 })
    const fault = await faultOf(post(transport).then(readText), 'upstream-timeout')
    clearInterval(drip)
    expect(fault.message).toContain('300 ms (totalMs)')
    await whenClosed(server.sockets[0]!)
  })

  test('a connection that does not come about: TLS that never answers', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).resume())
    const accepted = new Promise<Socket>((resolve) => silent.on('connection', resolve))
    const port = await new Promise<number>((resolve) =>
      silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { port: number }).port)),
    )
    running.push({ stop: () => silent.close() })
    const timeouts = { ...patientTimeouts, connectMs: 100 }
    const transport = makeTransport(new URL(`https://127.0.0.1:${port}`), { timeouts })
    expect((await faultOf(post(transport), 'upstream-timeout')).message).toContain('100 ms (connectMs)')
    await whenClosed(await accepted)
  })

  test('a name that is not resolved in time does not keep its place', async () => {
    let lookups = 0
    const server = await startServer(({ socket }) => socket.write(ok()))
    running.push(server)
    const transport = makeTransport(server.origin, {
      timeouts: { ...patientTimeouts, connectMs: 300 },
      maxConnections: 1,
      lookup: () => (lookups++ === 0 ? new Promise(() => {}) : Promise.resolve(['127.0.0.1'])),
    })
    running.push({ stop: () => transport.close() })
    await faultOf(post(transport), 'upstream-timeout')
    expect(await readText(await post(transport))).toBe('ok')
  })
})

describe('abort', () => {
  test('before the request', async () => {
    const { server, transport } = await setUp(({ socket }) => socket.write(ok()))
    await faultOf(post(transport, '', AbortSignal.abort()), 'client-gone')
    expect(server.sockets.length).toBe(0)
  })

  test('while connecting', async () => {
    const aborter = new AbortController()
    const transport = makeTransport(new URL('http://a.example'), { lookup: () => new Promise(() => {}) })
    const request = post(transport, '', aborter.signal)
    aborter.abort()
    await faultOf(request, 'client-gone')
  })

  test('before the answer closes the connection', async () => {
    const aborter = new AbortController()
    const { server, transport } = await setUp(({ text, socket }) => {
      if (text.endsWith('again')) socket.write(ok())
      else aborter.abort()
    })
    await faultOf(post(transport, '', aborter.signal), 'client-gone')
    await expectRecovery(server.sockets, transport)
  })

  test('in the middle of the answer closes the connection', async () => {
    const aborter = new AbortController()
    const { server, transport } = await setUp(({ text, socket }) =>
      socket.write(text.endsWith('again') ? ok() : 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello'),
    )
    const parts = (await post(transport, '', aborter.signal)).body[Symbol.asyncIterator]()
    await parts.next()
    const next = parts.next()
    aborter.abort()
    await faultOf(next, 'client-gone')
    await expectRecovery(server.sockets, transport)
  })

  test('after the answer does nothing', async () => {
    const aborter = new AbortController()
    const { server, transport } = await setUp(({ socket, turn }) => socket.write(ok(`turn ${turn}`)))
    expect(await readText(await post(transport, '', aborter.signal))).toBe('turn 0')
    aborter.abort()
    expect(await readText(await post(transport))).toBe('turn 1')
    expect(server.sockets.length).toBe(1)
  })

  test.each(['identity', 'gzip'])('leaving the loop closes the connection (%s)', async (encoding) => {
    const { gzipSync } = await import('node:zlib')
    const bytes = encoding === 'gzip' ? gzipSync(crypto.getRandomValues(new Uint8Array(60_000))) : Buffer.alloc(60_000)
    const { server, transport } = await setUp(({ text, socket }) => {
      if (text.endsWith('again')) return socket.write(ok())
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: 99999999\r\n\r\n`)
      return socket.write(bytes)
    })
    for await (const _part of (await post(transport)).body) break
    await expectRecovery(server.sockets, transport)
  })

  test('a signal that outlives its requests keeps none of their listeners', async () => {
    const { transport } = await setUp(({ socket }) => socket.write(ok()))
    const aborter = new AbortController()
    let listeners = 0
    const { signal } = aborter
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: unknown[]) => {
      listeners++
      Reflect.apply(add, signal, args)
    }
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--
      Reflect.apply(remove, signal, args)
    }
    for (let round = 0; round < 5; round++) await readText(await post(transport, '', signal))
    expect(listeners).toBe(0)
  })
})

describe('a reader that stops', () => {
  const totalBytes = 50_000_000

  /** Sends without end of patience, as fast as the socket takes it. */
  function pour(socket: Socket): void {
    const part = Buffer.alloc(65_536, 'x')
    let left = totalBytes
    const more = () => {
      while (left > 0) {
        const size = Math.min(left, part.length)
        left -= size
        if (!socket.write(part.subarray(0, size))) {
          socket.once('drain', more)
          return
        }
      }
    }
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${totalBytes}\r\n\r\n`)
    more()
  }

  /** Resolves once the server has not been able to send for a while. */
  async function whenStalled(socket: Socket): Promise<number> {
    let taken = -1
    for (;;) {
      const now = socket.bytesWritten - socket.writableLength
      if (now === taken) return now
      taken = now
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }

  test.each(['http', 'https'])(
    'stops the upstream with little in memory, and gets everything once it reads on (%s)',
    async (scheme) => {
      const certificate = scheme === 'https' ? makeCertificate(['localhost']) : undefined
      const server = await startServer(({ socket }) => pour(socket), certificate)
      const timeouts = { ...patientTimeouts, idleMs: 200 }
      const transport = makeTransport(server.origin, { timeouts, ca: certificate?.ca })
      running.push(server, { stop: () => transport.close() })
      const { body } = await post(transport)
      if (!(body instanceof ResponseBody)) throw new Error('the body is not a ResponseBody')
      let received = (await body.next()).value?.length ?? 0
      // Longer than idleMs: the upstream is not to blame for this silence.
      const sentBytes = await whenStalled(server.sockets[0]!)
      expect(body.bufferedBytes).toBeLessThan(1_000_000)
      // The rest is in the kernel's socket buffers.
      expect(sentBytes).toBeLessThan(totalBytes / 2)
      for await (const part of body) received += part.length
      expect(received).toBe(totalBytes)
    },
    30_000,
  )
})
