import { afterEach, describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { brotliCompressSync, createBrotliCompress, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { ok, type ScriptedRequest, type ScriptedServer, startServer, whenClosed } from './scripted-server.fixture.ts'
import { faultOf, makeTransport, patientTimeouts, post, readText } from './transport.fixture.ts'
import type { Transport } from './transport.ts'

const running: { stop(): void }[] = []
afterEach(() => {
  for (const item of running.splice(0)) item.stop()
})

async function serve(script: (request: ScriptedRequest) => void): Promise<ScriptedServer> {
  const server = await startServer(script)
  running.push(server)
  return server
}

function reach(server: ScriptedServer, options: Parameters<typeof makeTransport>[1] = {}): Transport {
  const transport = makeTransport(server.origin, options)
  running.push({ stop: () => transport.close() })
  return transport
}

describe('one request', () => {
  test('is written as it should be and answered', async () => {
    const server = await serve(({ socket }) =>
      socket.write(
        'HTTP/1.1 201 Created\r\nX-Id: 7\r\nset-cookie: a\r\nset-cookie: b\r\ncontent-length: 5\r\n\r\nhello',
      ),
    )
    const response = await post(reach(server), '{"q":"é"}')
    expect(response.status).toBe(201)
    expect({ ...response.headers }).toEqual({ 'x-id': '7', 'set-cookie': 'a, b', 'content-length': '5' })
    expect(await readText(response)).toBe('hello')
    expect(server.requests).toEqual([
      `POST /v1 HTTP/1.1\r\nhost: localhost:${server.port}\r\napi-key: k\r\ncontent-length: 10\r\n\r\n{"q":"é"}`,
    ])
  })

  test('answered a byte at a time', async () => {
    const text = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
    const server = await serve(async ({ socket }) => {
      for (const char of text) await new Promise<void>((resolve) => socket.write(char, () => resolve()))
    })
    expect(await readText(await post(reach(server)))).toBe('hello')
  })

  test('a body of 5 MB arrives whole, and so does the answer', async () => {
    const server = await serve(({ text, socket }) => {
      const body = text.slice(text.indexOf('\r\n\r\n') + 4)
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    })
    const body = 'abcdefghij'.repeat(500_000)
    expect((await readText(await post(reach(server), body))) === body).toBeTrue()
  })

  test('a redirect is an answer like any other', async () => {
    const server = await serve(({ socket }) =>
      socket.write('HTTP/1.1 307 Temporary Redirect\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n'),
    )
    expect(await post(reach(server))).toMatchObject({ status: 307, headers: { location: 'http://169.254.169.254/' } })
    expect(server.requests.length).toBe(1)
  })

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('an answer in %s, though nobody asked for it, is decoded', async (name, compress) => {
    const text = 'data: {"a":1}\n\n'.repeat(5000)
    const bytes = compress(Buffer.from(text))
    const server = await serve(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${name}\r\ncontent-length: ${bytes.length}\r\n\r\n`)
      socket.write(bytes)
    })
    const transport = reach(server)
    for (let round = 0; round < 2; round++) {
      const response = await post(transport)
      expect(response.headers['content-encoding']).toBeUndefined()
      expect(response.headers['content-length']).toBeUndefined()
      expect((await readText(response)) === text).toBeTrue()
    }
    expect(server.sockets.length).toBe(1)
  })

  test.each([
    ['gzip', createGzip],
    ['br', createBrotliCompress],
  ])('a stream in %s is passed on as it comes', async (name, createEncoder) => {
    let sendMore = () => {}
    const server = await serve(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${name}\r\n\r\n`)
      const encoder = createEncoder()
      encoder.pipe(socket)
      encoder.write('first')
      encoder.flush()
      sendMore = () => encoder.end('second')
    })
    const parts = (await post(reach(server))).body[Symbol.asyncIterator]()
    expect(Buffer.from((await parts.next()).value as Uint8Array).toString()).toBe('first')
    sendMore()
    expect(Buffer.from((await parts.next()).value as Uint8Array).toString()).toBe('second')
    expect((await parts.next()).done).toBeTrue()
  })

  test('an encoding that cannot be undone, and data that is not what it says', async () => {
    const unknown = await serve(({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: zip9\r\ncontent-length: 2\r\n\r\nab'),
    )
    expect((await faultOf(post(reach(unknown)), 'upstream-failed')).message).toContain('"zip9"')
    const broken = await serve(({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nnot gzip'),
    )
    expect((await faultOf(readText(await post(reach(broken))), 'upstream-failed')).message).toContain('not valid gzip')
    const cut = gzipSync('x'.repeat(100)).subarray(0, 20)
    const short = await serve(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${cut.length}\r\n\r\n`)
      socket.write(cut)
    })
    await faultOf(readText(await post(reach(short))), 'upstream-failed')
  })
})

describe('connections', () => {
  test('one connection serves request after request', async () => {
    const server = await serve(({ socket, turn }) => socket.write(ok(`turn ${turn}`)))
    const transport = reach(server)
    for (let turn = 0; turn < 20; turn++) expect(await readText(await post(transport))).toBe(`turn ${turn}`)
    expect(server.sockets.length).toBe(1)
  })

  test('the one that came free last is used first', async () => {
    const held: ScriptedRequest[] = []
    let isHolding = true
    let announce = () => {}
    const allHeld = new Promise<void>((resolve) => {
      announce = resolve
    })
    const server = await serve((request) => {
      if (!isHolding) request.socket.write(ok(String(request.connection)))
      else if (held.push(request) === 3) announce()
    })
    const transport = reach(server)
    const answers = ['a', 'b', 'c'].map((name) => post(transport, name).then(readText))
    await allHeld
    isHolding = false
    const answer = async (name: string) => {
      const request = held.find(({ text }) => text.endsWith(name))
      request?.socket.write(ok(name))
      await answers['abc'.indexOf(name)]
      return String(request?.connection)
    }
    await answer('c')
    await answer('a')
    const last = await answer('b')
    for (let round = 0; round < 5; round++) expect(await readText(await post(transport))).toBe(last)
    expect(server.sockets.length).toBe(3)
  })

  test('one that has been idle for maxIdleMs is closed', async () => {
    const server = await serve(({ socket }) => socket.write(ok()))
    const transport = reach(server, { maxIdleMs: 20 })
    expect(await readText(await post(transport))).toBe('ok')
    await whenClosed(server.sockets[0]!)
    expect(await readText(await post(transport))).toBe('ok')
    expect(server.sockets.length).toBe(2)
  })

  test.each([
    ['says "close"', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'],
    ['sends more than its answer', `${ok()}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`],
  ])('a connection whose peer %s is not used again', async (_what, text) => {
    const server = await serve(({ socket }) => socket.write(text))
    const transport = reach(server)
    for (let round = 0; round < 3; round++) expect(await readText(await post(transport))).toBe('ok')
    expect(server.sockets.length).toBe(3)
    await Promise.all(server.sockets.map(whenClosed))
  })

  test('bytes on an idle connection close it', async () => {
    const server = await serve(({ socket, connection }) => socket.write(ok(`connection ${connection}`)))
    const transport = reach(server)
    expect(await readText(await post(transport))).toBe('connection 0')
    server.sockets[0]?.write(ok('evil'))
    await whenClosed(server.sockets[0]!)
    expect(await readText(await post(transport))).toBe('connection 1')
  })

  test('the peer may say how long it keeps a connection', async () => {
    const server = await serve(({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=1, max=100\r\ncontent-length: 2\r\n\r\nok'),
    )
    expect(await readText(await post(reach(server)))).toBe('ok')
    await whenClosed(server.sockets[0]!)
  })

  test('no more than maxConnections; the others wait in turn', async () => {
    let open = 0
    let most = 0
    const server = await serve(async ({ text, socket }) => {
      most = Math.max(most, ++open)
      await new Promise((resolve) => setImmediate(resolve))
      open--
      socket.write(ok(text.slice(-2)))
    })
    const transport = reach(server, { maxConnections: 2 })
    const order: string[] = []
    const names = Array.from({ length: 12 }, (_, index) => String(index + 10))
    await Promise.all(names.map(async (name) => order.push(await readText(await post(transport, name)))))
    expect(server.sockets.length).toBe(2)
    expect(most).toBe(2)
    expect([...order].sort()).toEqual(names)
    expect(server.requests.map((text) => text.slice(-2)).slice(2)).toEqual(names.slice(2))
  })

  test('waiting is bounded in time and in number, and an aborted wait leaves the queue', async () => {
    const held: ScriptedRequest[] = []
    const server = await serve((request) => held.push(request))
    const transport = reach(server, {
      maxConnections: 1,
      maxQueued: 1,
      timeouts: { ...patientTimeouts, connectMs: 400 },
    })
    const first = post(transport, 'first')
    const aborter = new AbortController()
    const aborted = post(transport, 'aborted', aborter.signal)
    const crowded = await faultOf(post(transport), 'upstream-busy')
    expect(crowded.message).toContain('1 requests wait already')
    aborter.abort()
    await faultOf(aborted, 'client-gone')
    const late = await faultOf(post(transport, 'late'), 'upstream-busy')
    expect(late.message).toContain('none came free within 400 ms')
    held[0]?.socket.write(ok())
    expect(await readText(await first)).toBe('ok')
    expect(server.requests.length).toBe(1)
  })

  test('after close requests still end well, and no connection outlives them', async () => {
    let answer: (() => void) | undefined
    const server = await serve(({ socket }) => {
      if (answer) return void socket.write(ok())
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no')
      answer = () => socket.write('k')
    })
    const transport = reach(server)
    const response = await post(transport)
    transport.close()
    await readText(await post(transport))
    await whenClosed(server.sockets[1]!)
    answer?.()
    expect(await readText(response)).toBe('ok')
    await whenClosed(server.sockets[0]!)
  })

  test('close ends idle connections', async () => {
    const server = await serve(({ socket }) => socket.write(ok()))
    const transport = reach(server)
    await readText(await post(transport))
    transport.close()
    await whenClosed(server.sockets[0]!)
  })
})

describe('dropped connections', () => {
  test.each(['end', 'resetAndDestroy'] as const)(
    'a pooled connection that the peer drops at the request (%s) is replaced',
    async (how) => {
      const server = await serve(({ socket, connection, turn }) => {
        if (connection === 0 && turn === 1) socket[how]()
        else socket.write(ok(`connection ${connection}`))
      })
      const transport = reach(server)
      expect(await readText(await post(transport))).toBe('connection 0')
      expect(await readText(await post(transport))).toBe('connection 1')
      expect(server.requests.length).toBe(3)
    },
  )

  test('the replacement is a new connection, even when others wait and others come free', async () => {
    // Every connection serves one request and drops the second: a replacement on a used one would fail.
    const server = await serve(({ text, socket, turn }) => {
      if (turn === 0) socket.write(ok(text.slice(-2)))
      else socket.end()
    })
    const transport = reach(server, { maxConnections: 2 })
    const names = Array.from({ length: 40 }, (_, index) => String(index + 10))
    expect(await Promise.all(names.map((name) => post(transport, name).then(readText)))).toEqual(names)
  })

  test('once only', async () => {
    const server = await serve(({ socket, connection, turn }) => {
      if (connection === 0 && turn === 0) socket.write(ok())
      else socket.end()
    })
    const transport = reach(server)
    await readText(await post(transport))
    await faultOf(post(transport), 'upstream-failed')
    expect(server.requests.length).toBe(3)
  })

  test('not a fresh one, and not after a byte of an answer', async () => {
    const fresh = await serve(({ socket }) => socket.end())
    expect((await faultOf(post(reach(fresh)), 'upstream-failed')).message).toContain('without an answer')
    expect(fresh.requests.length).toBe(1)
    const begun = await serve(({ socket, turn }) => {
      if (turn === 0) socket.write(ok())
      else socket.end('H')
    })
    const transport = reach(begun)
    await readText(await post(transport))
    await faultOf(post(transport), 'upstream-failed')
    expect(begun.requests.length).toBe(2)
  })

  test('a pooled connection that the peer closed before is not even tried', async () => {
    const server = await serve(({ socket, connection }) => socket.write(ok(`connection ${connection}`)))
    const transport = reach(server)
    await readText(await post(transport))
    server.sockets[0]?.end()
    await whenClosed(server.sockets[0]!)
    expect(await readText(await post(transport))).toBe('connection 1')
    expect(server.requests.length).toBe(2)
  })

  test.each(['end', 'resetAndDestroy'] as const)(
    'an answer cut in the middle (%s): what came, then a fault',
    async (how) => {
      let cut = () => {}
      const server = await serve(({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')
        cut = () => socket[how]()
      })
      const parts = (await post(reach(server))).body[Symbol.asyncIterator]()
      expect(Buffer.from((await parts.next()).value as Uint8Array).toString()).toBe('hello')
      cut()
      await faultOf(parts.next(), 'upstream-failed')
      expect((await parts.next()).done).toBeTrue()
    },
  )

  test('what is not HTTP is refused and the connection closed', async () => {
    const server = await serve(({ socket }) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'))
    expect((await faultOf(post(reach(server)), 'upstream-failed')).message).toContain('not valid HTTP/1.1')
    await whenClosed(server.sockets[0]!)
  })

  test('nobody listens', async () => {
    const server = createServer()
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    )
    await new Promise((resolve) => server.close(resolve))
    const fault = await faultOf(post(makeTransport(new URL(`http://127.0.0.1:${port}`))), 'upstream-unavailable')
    expect(fault.message).toBe(`no connection to http://127.0.0.1:${port}: 127.0.0.1:${port} ECONNREFUSED`)
  })

  test('the next address of a name is tried', async () => {
    const server = await serve(({ socket }) => socket.write(ok()))
    const transport = reach(server, { lookup: async () => ['127.0.0.2', '127.0.0.1'] })
    expect(await readText(await post(transport))).toBe('ok')
  })
})

describe('addresses', () => {
  test.each(['http://169.254.169.254', 'http://2852039166', 'http://[::ffff:a9fe:a9fe]', 'https://0xa9.254.43518'])(
    '%s is refused before anything is sent',
    async (origin) => {
      const fault = await faultOf(post(makeTransport(new URL(origin))), 'upstream-unavailable')
      expect(fault.message).toContain('is refused')
      expect(fault.message).toContain('link-local')
    },
  )

  test('a name is judged where it is connected to', async () => {
    const server = await serve(({ socket }) => socket.write(ok()))
    const judged: string[] = []
    const transport = reach(server, {
      allowAddress: (address) => {
        judged.push(address)
        return false
      },
    })
    expect((await faultOf(post(transport), 'upstream-unavailable')).message).toContain('127.0.0.1 is refused')
    expect(judged).toContain('127.0.0.1')
    expect(server.sockets.length).toBe(0)
  })

  test('an origin that is not http', () => {
    expect(() => makeTransport(new URL('ftp://a.example'))).toThrow(/must begin with http/)
  })
})
