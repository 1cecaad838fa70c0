import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { request as httpRequest } from 'node:http'
import { removeFolder, type ServerProcess, startServer } from '../../support/server-process.ts'

/** Credentials, hosts and paths that nobody sends by accident: nothing opens, and nothing breaks. */

let server: ServerProcess
let token: string
let management: string

beforeAll(async () => {
  server = await startServer({})
  await server.run(['identity', 'create', 'user', '--role', 'Cognitive Services User'])
  await server.run(['identity', 'create', 'owner', '--role', 'Owner'])
  token = (await server.run(['token', 'user'])).stdout.trim()
  management = (await server.run(['token', 'owner', '--audience', 'https://management.azure.com'])).stdout.trim()
  expect([token, management].every((one) => one.split('.').length === 3)).toBe(true)
}, 60_000)
afterAll(async () => {
  await server?.stop()
  removeFolder(server.dataFolder)
})

type Headers = Record<string, string | string[]>

/** Written as given: `fetch` would mend some of it. */
function send(method: string, path: string, headers: Headers): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(server.httpUrl)
  return new Promise((done, fail) => {
    const sent = httpRequest(
      { hostname, port, method, path, headers, setHost: headers.host === undefined },
      (answer) => {
        let body = ''
        answer.on('data', (chunk) => {
          body += chunk
        })
        answer.on('end', () => done({ status: answer.statusCode as number, body }))
      },
    )
    // A request that is no HTTP is cut off.
    sent.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? done({ status: 400, body: '' }) : fail(error),
    )
    sent.end()
  })
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const paths = [
  '/openai/v1/models',
  '/openai/v1/files',
  '/models/info?api-version=2024-05-01-preview',
  '/management/status',
  '/management/keys',
  '/subscriptions?api-version=2022-12-01',
]

test('the good ones are', async () => {
  expect((await send('GET', '/openai/v1/models', { authorization: `Bearer ${token}` })).status).toBe(200)
  expect((await send('GET', '/openai/v1/models', { authorization: `bearer   ${token} ` })).status).toBe(200)
  expect((await send('GET', '/management/keys', { authorization: `Bearer ${management}` })).status).toBe(200)
})

describe('an Authorization header', () => {
  const odd = (): string[] => {
    const [head = '', payload = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object
    const never = { ...claims, exp: 99_999_999_999 }
    return [
      '',
      'Bearer',
      'Bearer ',
      'Bearer null',
      'Bearer undefined',
      'Bearer .',
      'Bearer ..',
      'Bearer eyJ',
      'Bearer eyJ.',
      'Bearer eyJ..',
      'Bearer eyJ.eyJ.',
      `Bearer eyJ${'.'.repeat(5000)}`,
      `Bearer eyJ${'A'.repeat(14_000)}.${'B'.repeat(100)}.C`,
      `Basic ${Buffer.from(`:${token}`).toString('base64')}`,
      `Token ${token}`,
      `Bearer${token}`,
      `Bearer "${token}"`,
      `Bearer ${token},${token}`,
      `Bearer ${token} ${token}`,
      `Bearer ${token}.${signature}`,
      `Bearer ${head}.${payload}`,
      `Bearer ${head}.${payload}.`,
      `Bearer .${payload}.${signature}`,
      `Bearer ${head}..${signature}`,
      `Bearer ${encode({ alg: 'none' })}.${payload}.`,
      `Bearer ${encode({ ...header, alg: 'none' })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, alg: 'HS256' })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, alg: null })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, alg: ['RS256'] })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, kid: '' })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, kid: '__proto__' })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, kid: { a: 1 } })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, jku: 'http://127.0.0.1:9/keys' })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, crit: ['exp'] })}.${payload}.${signature}`,
      `Bearer ${encode({ ...header, zip: 'DEF' })}.${payload}.${signature}`,
      `Bearer ${encode([header])}.${payload}.${signature}`,
      `Bearer ${head}.${encode(never)}.${signature}`,
      `Bearer ${head}.${encode({ ...never, __proto__: null, iss: ['x'] })}.${signature}`,
      `Bearer ${head}.${encode({ ...never, iss: `https://${'a'.repeat(3000)}/` })}.${signature}`,
      `Bearer ${head}.${encode(nest(2000))}.${signature}`,
      `Bearer ${head}.${Buffer.from([0xff, 0xfe, 0]).toString('base64url')}.${signature}`,
      `Bearer ${token.toUpperCase()}`,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${[...token].reverse().join('')}`,
    ]
  }

  test('that is none opens nothing', async () => {
    for (const authorization of odd()) {
      for (const path of paths) {
        const { status } = await send('GET', path, { authorization })
        expect([401, 431].includes(status), `${path} ${authorization.slice(0, 80)}: ${status}`).toBe(true)
      }
    }
  })

  test('beside others opens nothing either', async () => {
    for (const authorization of odd().slice(0, 12)) {
      for (const name of [
        'api-key',
        'x-api-key',
        'ocp-apim-subscription-key',
        'x-ms-token-aad-access-token',
        'cookie',
      ]) {
        const { status } = await send('GET', '/openai/v1/models', { authorization, [name]: token.slice(0, 500) })
        expect(status).toBe(401)
      }
    }
  })

  test('twice is one that nobody takes', async () => {
    for (const path of paths) {
      const { status } = await send('GET', path, { authorization: [`Bearer ${token}`, `Bearer ${management}`] })
      expect([400, 401], path).toContain(status)
    }
  })
})

describe('a Host header', () => {
  test.each([
    'evil.example',
    'localhost.evil.example',
    'localhost@evil.example',
    'evil.example:8443',
    'evil.example#localhost',
    'evil.example/localhost',
    'localhost, evil.example',
    '127.0.0.1.evil.example',
    '2130706433',
    '0x7f000001',
    '',
    ' ',
    '[::1',
    'a'.repeat(5000),
  ])('%s is not the way to management or to tokens', async (host) => {
    for (const path of [
      '/management/keys',
      '/metadata/endpoints',
      '/msi/token',
      '/subscriptions?api-version=2022-12-01',
    ]) {
      const { status, body } = await send('GET', path, { host, authorization: `Bearer ${management}` })
      expect([400, 403, 431], `${path}: ${status} ${body.slice(0, 100)}`).toContain(status)
    }
  })
})

describe('a path', () => {
  test.each([
    '/management/../management/keys',
    '//management/keys',
    '/management//keys',
    '/management/keys/',
    '/management/%6beys',
    '/Management/keys',
    '/management/keys%00',
    '/management/keys;x=1',
    '/management/keys%2f',
    '/%6danagement/keys',
    '/health/../management/keys',
    '/metadata/endpoints/../../management/keys',
    '/metadata/endpoints%2f..%2f..%2fmanagement/keys',
    '/common/oauth2/token/../../../management/keys',
    '/subscriptions/../management/keys',
    '/openai/../management/keys',
    '/resources/ponto/management/keys',
    '/management/resources/ponto/../../keys',
    '/SUBSCRIPTIONS',
    '/providers',
    '/openai/v1/models/..%2f..%2fmanagement%2fkeys',
  ])('%s is no way around', async (path) => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'POST']) {
      const ways: Headers[] = [{}, { authorization: `Bearer ${token}` }, { 'api-key': server.key }]
      for (const headers of ways) {
        const { status, body } = await send(method, path, headers)
        expect(status, `${method} ${path}`).toBeLessThan(500)
        expect(body).not.toContain(server.key)
      }
    }
  })

  test('to the token endpoint with anything in it gives none', async () => {
    for (const path of [
      '/common/oauth2/v2.0/token',
      '/msi/token',
      '/msi/token?resource=x&resource=y',
      '/common/oauth2/token',
    ]) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        const { status, body } = await send(method, path, {
          'x-identity-header': token.slice(0, 900),
          'content-type': 'application/json',
        })
        expect(status >= 400 && status < 500, `${method} ${path}: ${status}`).toBe(true)
        expect(body).not.toContain('access_token')
      }
    }
  })
})

function nest(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = { iss: value }
  return value
}
