import { afterEach, expect, test } from 'bun:test'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSender, type RemoteAnswer, type SenderOptions } from './send-request.ts'

type Scripted = { status: number; headers?: Record<string, string>; body?: string } | 'cut' | 'silence'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** Answers as scripted, one after the other, the last one again and again. */
async function play(script: readonly Scripted[], options: Partial<SenderOptions> = {}) {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    bodies.push(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString())
    const step = script[Math.min(bodies.length, script.length) - 1] as Scripted
    if (step === 'silence') return
    if (step === 'cut') return void request.socket.destroy()
    response.writeHead(step.status, step.headers).end(step.body)
  })
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let signed = 0
  const send = createSender({
    sign: ({ path }) => ({ url: `${origin}${path}?sig=secret`, headers: { 'x-signed': `${++signed}` } }),
    errorCodeOf: ({ body }: RemoteAnswer) => /<Code>(\w+)/.exec(new TextDecoder().decode(body))?.[1],
    firstDelayMs: 1,
    ...options,
  })
  return { send, bodies, signed: () => signed }
}

const put = { method: 'PUT', path: '/x', body: new TextEncoder().encode('content') } as const
const ok = { status: 200, body: 'fine' }

test('gives an expected answer', async () => {
  const { send, bodies } = await play([{ status: 404, headers: { etag: '"a"' }, body: 'none' }])
  const { status, headers, body } = await send(put, [200, 404])
  expect([status, headers.get('etag'), new TextDecoder().decode(body)]).toEqual([404, '"a"', 'none'])
  expect(bodies).toEqual(['content'])
})

test.each<[string, Scripted]>([
  ['500', { status: 500 }],
  ['503', { status: 503, body: '<Code>SlowDown' }],
  ['429', { status: 429, headers: { 'retry-after': '0' } }],
  ['408', { status: 408 }],
  ['a cut connection', 'cut'],
  ['silence', 'silence'],
  ['200 with an error in it', { status: 200, body: '<Code>InternalError' }],
])('sends again after %s, signed anew and whole', async (_, step) => {
  const { send, bodies, signed } = await play([step, step, ok], { timeoutMs: 200 })
  expect((await send(put, [200])).status).toBe(200)
  expect(bodies).toEqual(['content', 'content', 'content'])
  expect(signed()).toBe(3)
})

test.each([400, 401, 403, 404, 409, 412, 301, 307])('does not send again after %d', async (status) => {
  const { send, bodies } = await play([{ status, headers: { location: 'http://127.0.0.1:1/' } }, ok])
  await expect(send(put, [200])).rejects.toMatchObject({ code: 'storage-unavailable', status: 503 })
  expect(bodies).toEqual(['content'])
})

test.each<[string, Scripted, string]>([
  [
    'an error',
    { status: 503, body: '<Code>SlowDown</Code><Message>secret at secret.example</Message>' },
    '503 SlowDown',
  ],
  ['a refusal', { status: 403, body: '<Code>AccessDenied</Code>' }, '403 AccessDenied'],
  ['a cut connection', 'cut', 'ECONNRESET'],
  ['silence', 'silence', 'TimeoutError'],
])('gives up after some attempts and says why, but neither address nor secret: %s', async (_, step, reason) => {
  const { send } = await play([step], { attempts: 2, timeoutMs: 100 })
  const fault = await send(put, [200]).catch((error) => error)
  expect(fault.code).toBe('storage-unavailable')
  expect(fault.message).toBe('The storage of the server cannot be used at the moment.')
  expect(fault.detail.cause.message).toBe(`the store of blobs answered PUT with ${reason}`)
  expect(Bun.inspect(fault)).not.toMatch(/127\.0\.0\.1|sig=|secret/)
})

test('takes no answer that would not fit', async () => {
  const { send } = await play([{ status: 200, body: 'x'.repeat(17 * 1024 * 1024) }], { attempts: 1 })
  await expect(send({ method: 'GET', path: '/x' }, [200])).rejects.toMatchObject({ code: 'storage-unavailable' })
})

test('stops when told to', async () => {
  const stopping = new AbortController()
  const { send, bodies } = await play(['silence'], { signal: stopping.signal })
  const sent = send(put, [200]).catch((error) => error.code)
  setTimeout(() => stopping.abort(), 50)
  expect(await sent).toBe('storage-unavailable')
  expect(bodies).toHaveLength(1)
})
