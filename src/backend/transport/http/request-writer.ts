import { Fault } from '../../../core/fault.ts'
import type { UpstreamRequest } from '../transport.ts'
import { isText, isToken } from './http-parser.ts'

/** What is the same in every request of a transport. */
export type RequestFrame = {
  /** The value of `host`. */
  readonly host: string
  /** Put before the path: empty, or the origin when a proxy wants the absolute form. */
  readonly prefix: string
  readonly proxyAuthorization: string | undefined
}

const reservedNames = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'expect',
  'upgrade',
  'proxy-authorization',
])

/**
 * The whole request as one text, to be sent as UTF-8 in one write; without its body when that comes in pieces. Throws Fault `upstream-misconfigured` for a path or header
 * that would break the framing; its message never holds a header's value.
 */
export function writeRequest(request: UpstreamRequest, frame: RequestFrame): string {
  const { method, path, headers, body } = request
  if (!isPath(path)) {
    throw new Fault(
      'upstream-misconfigured',
      `the path ${JSON.stringify(path)} must begin with "/" and be percent-encoded`,
    )
  }
  let text = `${method} ${frame.prefix}${path} HTTP/1.1\r\nhost: ${frame.host}\r\n`
  if (frame.proxyAuthorization !== undefined) text += `proxy-authorization: ${frame.proxyAuthorization}\r\n`
  text += headerLines(headers)
  if (typeof body === 'object') return `${text}transfer-encoding: chunked\r\n\r\n`
  if (body !== undefined) return `${text}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  return method === 'POST' ? `${text}content-length: 0\r\n\r\n` : `${text}\r\n`
}

/** A backend sends the same headers with every request: they are judged and written once. Whoever changes them makes new ones. */
const written = new WeakMap<UpstreamRequest['headers'], string>()

function headerLines(headers: UpstreamRequest['headers']): string {
  let lines = written.get(headers)
  if (lines === undefined) {
    lines = writeHeaders(headers)
    written.set(headers, lines)
  }
  return lines
}

function writeHeaders(headers: UpstreamRequest['headers']): string {
  let text = ''
  for (const name in headers) {
    const value = headers[name] as string
    if (!isToken(name)) throw new Fault('upstream-misconfigured', `${JSON.stringify(name)} is not a header name`)
    if (reservedNames.has(name.toLowerCase())) {
      throw new Fault('upstream-misconfigured', `the header "${name}" is written by the transport and cannot be set`)
    }
    if (!isText(value)) {
      throw new Fault(
        'upstream-misconfigured',
        `the value of header "${name}" holds a line break or another control character; a key copied with its line end?`,
      )
    }
    text += `${name}: ${value}\r\n`
  }
  return text
}

function isPath(path: string): boolean {
  if (path.charCodeAt(0) !== 47) return false
  for (let at = 1; at < path.length; at++) {
    const code = path.charCodeAt(at)
    if (code <= 32 || code >= 127) return false
  }
  return true
}
