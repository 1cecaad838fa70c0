import { describe, expect, test } from 'bun:test'
import { Fault } from '../../../core/fault.ts'
import { writeRequest } from './request-writer.ts'

const frame = { host: 'model.example:8000', prefix: '', proxyAuthorization: undefined }

describe('writeRequest', () => {
  test('a POST with a body: its length is in bytes', () => {
    const request = {
      method: 'POST',
      path: '/v1/chat?x=1',
      headers: { 'content-type': 'application/json' },
      body: '"Zürich 🏔"',
    } as const
    expect(writeRequest(request, frame)).toBe(
      'POST /v1/chat?x=1 HTTP/1.1\r\nhost: model.example:8000\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n"Zürich 🏔"',
    )
  })

  test('an unpaired surrogate counts as the three bytes that are sent for it', () => {
    const text = writeRequest({ method: 'POST', path: '/', headers: {}, body: 'a\ud800b' }, frame)
    expect(text).toContain('content-length: 5\r\n')
    expect(Buffer.from(text).length).toBe(text.indexOf('\r\n\r\n') + 4 + 5)
  })

  test('without a body', () => {
    expect(writeRequest({ method: 'GET', path: '/', headers: {} }, frame)).toBe(
      'GET / HTTP/1.1\r\nhost: model.example:8000\r\n\r\n',
    )
    expect(writeRequest({ method: 'POST', path: '/', headers: {} }, frame)).toContain('content-length: 0\r\n\r\n')
  })

  test('for a proxy', () => {
    const forwarded = { host: 'a.example', prefix: 'http://a.example', proxyAuthorization: 'Basic eA==' }
    expect(writeRequest({ method: 'GET', path: '/v1', headers: {} }, forwarded)).toBe(
      'GET http://a.example/v1 HTTP/1.1\r\nhost: a.example\r\nproxy-authorization: Basic eA==\r\n\r\n',
    )
  })

  test.each(['', 'v1', '/a b', '/a\r\nx: y', '/a\nb', '/a\0', '/ä', 'http://other/'])(
    'the path %j is refused',
    (path) => {
      expect(() => writeRequest({ method: 'GET', path, headers: {} }, frame)).toThrow(Fault)
    },
  )

  test.each(['s3cret\r\nx: y', 's3cret\n', 's3cret\r', 's3cret\0', 's3cret\x7f'])(
    'the header value %j is refused and not repeated',
    (value) => {
      const write = () => writeRequest({ method: 'GET', path: '/', headers: { 'api-key': value } }, frame)
      expect(write).toThrow(/"api-key" holds a line break/)
      expect(write).not.toThrow(/s3cret/)
    },
  )

  test.each(['', 'a b', 'a:', 'a\r\nb', 'ä'])('the header name %j is refused', (name) => {
    expect(() => writeRequest({ method: 'GET', path: '/', headers: { [name]: 'x' } }, frame)).toThrow(
      /not a header name/,
    )
  })

  test.each(['Host', 'content-length', 'Transfer-Encoding', 'connection', 'expect'])('%s cannot be set', (name) => {
    expect(() => writeRequest({ method: 'GET', path: '/', headers: { [name]: 'x' } }, frame)).toThrow(
      /written by the transport/,
    )
  })
})
