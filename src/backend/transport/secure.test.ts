import { afterEach, describe, expect, test } from 'bun:test'
import { connect, createServer, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { makeCertificate } from './certificate.fixture.ts'
import { ok, type ScriptedServer, startServer, whenClosed } from './scripted-server.fixture.ts'
import { faultOf, makeTransport, patientTimeouts, post, readText } from './transport.fixture.ts'
import type { Transport } from './transport.ts'

const running: { stop(): void }[] = []
afterEach(() => {
  for (const item of running.splice(0)) item.stop()
})

function reach(origin: string, options: Parameters<typeof makeTransport>[1]): Transport {
  const transport = makeTransport(new URL(origin), options)
  running.push({ stop: () => transport.close() })
  return transport
}

const certificate = makeCertificate(['localhost', 'model.test', '127.0.0.1'])

async function serveTls(answer = ok()): Promise<ScriptedServer> {
  const server = await startServer(({ socket }) => socket.write(answer), certificate)
  running.push(server)
  return server
}

describe('TLS', () => {
  test('a private authority is trusted when it is given', async () => {
    const server = await serveTls()
    const transport = reach(`https://localhost:${server.port}`, { ca: certificate.ca })
    for (let turn = 0; turn < 3; turn++) expect(await readText(await post(transport))).toBe('ok')
    expect(server.sockets.length).toBe(1)
    const socket = server.sockets[0] as TLSSocket & { servername?: string }
    expect(socket.alpnProtocol).toBe('http/1.1')
    expect(socket.servername).toBe('localhost')
  })

  test('several authorities may be given in one text', async () => {
    const server = await serveTls()
    const ca = `${makeCertificate(['other.test']).ca}${certificate.ca}`
    expect(await readText(await post(reach(`https://localhost:${server.port}`, { ca })))).toBe('ok')
  })

  test('an address is checked against the addresses of the certificate', async () => {
    const server = await serveTls()
    expect(await readText(await post(reach(`https://127.0.0.1:${server.port}`, { ca: certificate.ca })))).toBe('ok')
    const elsewhere = reach(`https://127.0.0.2:${server.port}`, {
      ca: certificate.ca,
      lookup: async () => ['127.0.0.1'],
    })
    await faultOf(post(elsewhere), 'upstream-unavailable')
  })

  test.each([
    ['no authority given', 'localhost', undefined, 'give that authority as the CA'],
    ['another authority', 'localhost', makeCertificate(['localhost']).ca, 'give that authority as the CA'],
    ['another name', 'other.test', certificate.ca, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('is refused, and the request not sent: %s', async (_what, host, ca, because) => {
    const server = await serveTls()
    const transport = reach(`https://${host}:${server.port}`, { ca, lookup: async () => ['127.0.0.1'] })
    expect((await faultOf(post(transport), 'upstream-unavailable')).message).toContain(because)
    expect(server.requests).toEqual([])
  })

  test('a server that speaks no TLS', async () => {
    const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const port = await listen(plain)
    running.push({ stop: () => plain.close() })
    const fault = await faultOf(post(reach(`https://localhost:${port}`, {})), 'upstream-unavailable')
    expect(fault.message).toContain('no TLS connection')
  })

  test('the session is used again for the next connection', async () => {
    const server = await serveTls('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')
    const transport = reach(`https://localhost:${server.port}`, { ca: certificate.ca })
    for (let round = 0; round < 2; round++) {
      expect(await readText(await post(transport))).toBe('ok')
    }
    const reused = server.sockets.map((socket) => (socket as TLSSocket).isSessionReused())
    expect(reused).toEqual([false, true])
  })

  test('a CA that is no certificate is refused at once', () => {
    expect(() => makeTransport(new URL('https://a.example'), { ca: 'not PEM' })).toThrow(/not a PEM certificate/)
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    expect(() => makeTransport(new URL('https://a.example'), { ca: broken })).toThrow(/not a PEM certificate/)
  })

  test('an aborted request closes the secured connection', async () => {
    const server = await serveTls('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello')
    const aborter = new AbortController()
    const transport = reach(`https://localhost:${server.port}`, { ca: certificate.ca })
    const response = await post(transport, '', aborter.signal)
    aborter.abort()
    await whenClosed(server.sockets[0]!)
    await faultOf(
      readText(response).then(() => readText(response)),
      'client-gone',
    )
  })
})

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
}

/** A proxy that connects every tunnel to 127.0.0.1, or gives `refusal` instead. */
async function startProxy(refusal?: string) {
  const heads: string[] = []
  const server = createServer((near: Socket) => {
    near.on('error', () => {})
    near.once('data', (bytes: Buffer) => {
      const head = bytes.toString()
      heads.push(head)
      if (refusal !== undefined) {
        near.end(refusal)
        return
      }
      const port = Number(/^CONNECT [^ ]*:(\d+) /.exec(head)?.[1])
      const far = connect(port, '127.0.0.1', () => {
        near.write('HTTP/1.1 200 Connection established\r\nx-proxy: yes\r\n\r\n')
        near.pipe(far)
        far.pipe(near)
      })
      far.on('error', () => near.destroy())
      far.on('close', () => near.destroy())
      near.on('close', () => far.destroy())
    })
  })
  const port = await listen(server)
  running.push({ stop: () => server.close() })
  return { heads, url: `http://127.0.0.1:${port}`, port }
}

describe('through a proxy', () => {
  test('TLS to the origin runs inside the tunnel, and the connection is kept', async () => {
    const server = await serveTls()
    const proxy = await startProxy()
    const httpsProxy = `http://user:p%40ss@127.0.0.1:${proxy.port}`
    const transport = reach(`https://model.test:${server.port}`, { ca: certificate.ca, proxy: { httpsProxy } })
    for (let turn = 0; turn < 3; turn++) expect(await readText(await post(transport, `turn ${turn}`))).toBe('ok')
    const authority = `model.test:${server.port}`
    expect(proxy.heads).toEqual([
      `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\nproxy-authorization: Basic ${btoa('user:p@ss')}\r\n\r\n`,
    ])
    expect(server.requests[0]).toStartWith(`POST /v1 HTTP/1.1\r\nhost: ${authority}\r\n`)
    expect(server.requests.join()).not.toContain('proxy-authorization')
  })

  test('the origin is verified there too', async () => {
    const server = await serveTls()
    const proxy = await startProxy()
    const transport = reach(`https://model.test:${server.port}`, { proxy: { httpsProxy: proxy.url } })
    await faultOf(post(transport), 'upstream-unavailable')
    expect(server.requests).toEqual([])
  })

  test.each([
    ['wants credentials', 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n', '407'],
    ['cannot reach the origin', 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n', 'refused the tunnel (502)'],
    ['is no proxy', 'hello\r\n', 'not valid HTTP'],
    ['closes', '', 'closed the connection'],
    ['puts in bytes of its own', 'HTTP/1.1 200 OK\r\n\r\nevil', 'bytes of its own'],
  ])('that %s', async (_what, refusal, because) => {
    const proxy = await startProxy(refusal)
    const httpsProxy = `http://user:s3cret@127.0.0.1:${proxy.port}`
    const fault = await faultOf(post(reach('https://model.test', { proxy: { httpsProxy } })), 'upstream-unavailable')
    expect(fault.message).toContain(because)
    expect(fault.message).toContain('the proxy 127.0.0.1:')
    expect(fault.message).not.toContain('s3cret')
  })

  test('that is silent', async () => {
    const silent = createServer((socket) => socket.resume())
    const httpsProxy = `http://127.0.0.1:${await listen(silent)}`
    running.push({ stop: () => silent.close() })
    const timeouts = { ...patientTimeouts, connectMs: 100 }
    await faultOf(post(reach('https://model.test', { proxy: { httpsProxy }, timeouts })), 'upstream-timeout')
  })

  test('plain HTTP names the whole address to the proxy', async () => {
    const proxy = await startServer(({ socket }) => socket.write(ok()))
    running.push(proxy)
    const httpProxy = `http://user:pass@127.0.0.1:${proxy.port}`
    expect(await readText(await post(reach('http://model.test:8000', { proxy: { httpProxy } })))).toBe('ok')
    expect(proxy.requests[0]).toStartWith(
      `POST http://model.test:8000/v1 HTTP/1.1\r\nhost: model.test:8000\r\nproxy-authorization: Basic ${btoa('user:pass')}\r\n`,
    )
  })

  test('what NO_PROXY names, and loopback, is reached directly', async () => {
    const server = await serveTls()
    const proxy = await startProxy()
    const options = { ca: certificate.ca, lookup: async () => ['127.0.0.1'] }
    const settings = { httpsProxy: proxy.url, noProxy: '.test' }
    for (const host of ['model.test', 'localhost', '127.0.0.1']) {
      const transport = reach(`https://${host}:${server.port}`, { ...options, proxy: settings })
      expect(await readText(await post(transport))).toBe('ok')
    }
    expect(proxy.heads).toEqual([])
  })

  test('an address in the URL is judged all the same', async () => {
    const proxy = await startProxy()
    const settings = { httpsProxy: proxy.url, httpProxy: proxy.url }
    for (const origin of ['https://169.254.169.254', 'http://0xa9fea9fe', 'https://[64:ff9b::a9fe:a9fe]']) {
      const fault = await faultOf(post(reach(origin, { proxy: settings })), 'upstream-unavailable')
      expect(fault.message).toContain('is refused')
    }
    expect(proxy.heads).toEqual([])
  })
})
