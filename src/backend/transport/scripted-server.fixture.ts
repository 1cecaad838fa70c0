import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TestCertificate } from './certificate.fixture.ts'

/** A request as its bytes came, and what the server may do about it. */
export type ScriptedRequest = {
  /** Head and body. */
  readonly text: string
  readonly socket: Socket
  /** Which connection of this server, and which request on it; both from 0. */
  readonly connection: number
  readonly turn: number
}

export type ScriptedServer = {
  readonly port: number
  readonly origin: URL
  /** Every connection so far, open or not. */
  readonly sockets: readonly Socket[]
  readonly requests: readonly string[]
  stop(): void
}

export const ok = (body = 'ok') => `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/**
 * A server on a free port of 127.0.0.1 that calls `script` for every complete request and otherwise does nothing by itself.
 * With a certificate it speaks TLS.
 */
export async function startServer(
  script: (request: ScriptedRequest) => void,
  certificate?: TestCertificate,
): Promise<ScriptedServer> {
  const sockets: Socket[] = []
  const requests: string[] = []
  const accept = (socket: Socket) => {
    const connection = sockets.push(socket) - 1
    let turn = 0
    let received = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes])
      for (let size = measureRequest(received); size > 0; size = measureRequest(received)) {
        const text = received.toString('utf8', 0, size)
        received = received.subarray(size)
        requests.push(text)
        script({ text, socket, connection, turn: turn++ })
      }
    })
  }
  const server = certificate
    ? createTlsServer({ cert: certificate.cert, key: certificate.key, ALPNProtocols: ['http/1.1'] }, accept)
    : createTcpServer(accept)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: new URL(`${certificate ? 'https' : 'http'}://localhost:${port}`),
    sockets,
    requests,
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Bytes of the first complete request, or 0. */
function measureRequest(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return 0
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, end))
  const size = end + 4 + Number(length?.[1] ?? 0)
  return bytes.length >= size ? size : 0
}

/** Resolves when the socket has closed. */
export function whenClosed(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()))
}
