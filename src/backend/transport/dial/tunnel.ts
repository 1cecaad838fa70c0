import { isIP, type Socket } from 'node:net'
import { Fault } from '../../../core/fault.ts'
import { ResponseParser } from '../http/http-parser.ts'
import type { HttpProxy } from './proxy.ts'

/** What the tunnel leads to. */
export type TunnelEnd = { readonly peer: string; readonly host: string; readonly port: number }

/**
 * Asks the proxy at the other end of `socket` to connect it to `end` (RFC 9110 section 9.3.6). Afterwards the socket's bytes are the
 * origin's. Rejects with Fault `upstream-unavailable`.
 */
export function openTunnel(socket: Socket, end: TunnelEnd, proxy: HttpProxy): Promise<void> {
  const authority = `${isIP(end.host) === 6 ? `[${end.host}]` : end.host}:${end.port}`
  const authorization = proxy.authorization === undefined ? '' : `proxy-authorization: ${proxy.authorization}\r\n`
  return new Promise((resolve, reject) => {
    const proxyName = `the proxy ${proxy.host}:${proxy.port}`
    let isSettled = false
    const settle = (failure?: string) => {
      if (isSettled) return
      isSettled = true
      socket.removeListener('data', read)
      socket.removeListener('close', close)
      if (failure === undefined) resolve()
      else reject(new Fault('upstream-unavailable', `no connection to ${end.peer}: ${failure}`))
    }
    let status = 0
    let hasMore = false
    const parser = new ResponseParser(proxyName, {
      takeHead: (code) => {
        status = code
      },
      takeBody: () => {
        hasMore = true
      },
      takeEnd: () => {},
    })
    const read = (bytes: Buffer) => {
      try {
        parser.feed(bytes)
      } catch (error) {
        settle(error instanceof Error ? error.message : String(error))
        return
      }
      if (status === 0) return
      if (status === 407) settle(`${proxyName} wants a user and password, or other ones (407)`)
      else if (status < 200 || status >= 300) settle(`${proxyName} refused the tunnel (${status})`)
      // A TLS server speaks second: bytes before our first are not the origin's.
      else if (hasMore) settle(`${proxyName} sent bytes of its own into the tunnel`)
      else settle()
    }
    const close = () => settle(`${proxyName} closed the connection`)
    socket.on('data', read)
    socket.on('close', close)
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${authorization}\r\n`)
  })
}
