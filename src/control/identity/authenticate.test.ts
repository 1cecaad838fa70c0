import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { type ControlFixture, credential, errorOf, remote, resourceKey, startControl } from '../control.fixture.ts'

let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)
beforeAll(async () => {
  control = await startControl()
})
afterAll(() => control.stop())

describe('who may call', () => {
  test.each<[string, Record<string, string>, number, string]>([
    ['nothing presented', { authorization: '' }, 401, 'Unauthorized'],
    ['another credential', { authorization: 'Bearer wrong' }, 401, 'Unauthorized'],
    ['a longer credential', { authorization: `Bearer ${credential}x` }, 401, 'Unauthorized'],
    ['another scheme', { authorization: `Basic ${credential}` }, 401, 'Unauthorized'],
    ['the credential as api-key', { authorization: '', 'api-key': credential }, 401, 'Unauthorized'],
    ['a resource key as Bearer', { authorization: `Bearer ${resourceKey}` }, 403, 'Forbidden'],
    ['a resource key as api-key', { authorization: '', 'api-key': resourceKey }, 403, 'Forbidden'],
    ['a page of another site', { origin: 'https://evil.example' }, 403, 'Forbidden'],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }, 403, 'Forbidden'],
    ['a sandboxed page', { origin: 'null' }, 403, 'Forbidden'],
    ['a page of a file', { origin: 'file://' }, 403, 'Forbidden'],
  ])('%s', async (_who, headers, status, code) => {
    for (const path of ['/status', '/keys', '/deployments', '/nowhere']) {
      const response = await send('GET', path, { headers })
      expect([response.status, errorOf(response).code]).toEqual([status, code])
      expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
      expect(response.text).not.toContain(credential)
      expect(response.text).not.toContain(resourceKey)
    }
  })

  test('a refused write writes nothing', async () => {
    const refused: Record<string, string>[] = [
      { authorization: '' },
      { origin: 'https://evil.example' },
      { authorization: `Bearer ${resourceKey}` },
    ]
    for (const headers of refused) {
      expect((await send('PUT', '/deployments/refused', { headers, body: remote() })).status).toBeGreaterThanOrEqual(
        401,
      )
    }
    expect((await send('GET', '/deployments/refused')).status).toBe(404)
  })

  test('the scheme is read without regard to case, and a page of this server may call', async () => {
    expect((await send('GET', '/status', { headers: { authorization: `bearer ${credential}` } })).status).toBe(200)
    expect((await send('GET', '/status', { headers: { origin: control.base } })).status).toBe(200)
  })

  test.each<[string, number]>([
    ['localhost', 200],
    ['LOCALHOST:8443', 200],
    ['localhost.:8443', 200],
    ['mine.localhost', 200],
    ['127.0.0.1:1', 200],
    ['[::1]:8443', 200],
    ['ponto.example', 200],
    ['[::1:2]:80', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['evil-localhost', 403],
    ['ponto.example.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
  ])('Host %s: %d', async (host, status) => {
    expect((await send('GET', '/status', { headers: { host } })).status).toBe(status)
  })

  test.each(['%%', 'a b', 'localhost/x', 'evil.example/.localhost', ''])(
    'a Host that is none, %p, is refused as such',
    async (host) => {
      const { port } = new URL(control.base)
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.write(`OPTIONS /management/status HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
        })
        let text = ''
        socket.on('data', (chunk) => {
          text += chunk
        })
        socket.on('close', () => resolve(text)).on('error', reject)
      })
      expect(answer).toMatch(/^HTTP\/1\.1 40[03] /)
    },
  )

  test('a preflight is refused, and no answer has a CORS header', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'PUT', authorization: '' }
    for (const [method, path] of [
      ['OPTIONS', '/deployments/gpt'],
      ['OPTIONS', '/keys'],
      ['GET', '/keys'],
      ['PUT', '/deployments/gpt'],
    ] as const) {
      const response = await send(method, path, { headers })
      expect(response.status).toBe(method === 'OPTIONS' ? 405 : 403)
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('paths and methods', () => {
  test.each<[string, string, number, string, string | null]>([
    ['GET', '/nowhere', 404, 'NotFound', null],
    ['GET', '', 404, 'NotFound', null],
    ['GET', '/deployments/gpt/extra', 404, 'NotFound', null],
    ['POST', '/deployments', 405, 'MethodNotAllowed', 'GET'],
    ['POST', '/deployments/gpt', 405, 'MethodNotAllowed', 'GET, PUT, PATCH, DELETE'],
    ['GET', '/keys/key1/regenerate', 405, 'MethodNotAllowed', 'POST'],
    ['DELETE', '/status', 405, 'MethodNotAllowed', 'GET'],
    ['POST', '/keys/key3/regenerate', 404, 'NotFound', null],
    ['GET', '/deployments/none', 404, 'DeploymentNotFound', null],
    ['DELETE', '/deployments/none', 404, 'DeploymentNotFound', null],
    ['GET', '/deployments/none/probe', 404, 'DeploymentNotFound', null],
    ['GET', '/deployments/%zz', 404, 'DeploymentNotFound', null],
  ])('%s %s: %d', async (method, path, status, code, allow) => {
    const response = await send(method, path)
    expect([response.status, errorOf(response).code, response.headers.get('allow')]).toEqual([status, code, allow])
  })
})
