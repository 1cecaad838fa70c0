import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { event, type FakeUpstream, json, type Step, sse, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness, testKey } from '../support/harness.ts'

/**
 * Callers that begin and do not go on, against an idle limit of four seconds, Bun's least: they are cut off, however far they
 * got. Callers who wait for a model that is silent for longer than that are not. All at once, since the limit takes its time.
 */

const idleLimitS = 4
/** Bun bounds the headers by itself, at about 12 s. */
const latestMs = 25_000
const silenceMs = 9_000

const completion = { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [] }
const chunk = { id: 'x', created: 1, model: 'm', choices: [{ index: 0, delta: { content: 'word '.repeat(6_000) } }] }
const silence: Step = { do: 'wait', ms: silenceMs }
const scripts: Record<string, readonly Step[]> = {
  quick: json(completion),
  stream: sse(chunk),
  thinking: [silence, ...json(completion)],
  pausing: [sseHead, event(chunk), silence, event('[DONE]'), { do: 'end' }],
  endless: [sseHead, ...Array.from({ length: 2_000 }, () => event(chunk)), { do: 'end' }],
}

const upstreams: Record<string, FakeUpstream> = {}
let ponto: Harness

beforeAll(async () => {
  ponto = await startHarness({ idleLimitS })
  for (const [name, script] of Object.entries(scripts)) {
    const upstream = await startFakeUpstream()
    upstream.script(script)
    upstreams[name] = upstream
  }
  const model = { name: 'm' }
  ponto.deploy(
    ...Object.entries(upstreams).map(([name, { url }]) => ({ name, model, backends: [{ url: `${url}/v1` }] })),
  )
})
afterAll(async () => {
  await ponto.stop()
  await Promise.all(Object.values(upstreams).map((upstream) => upstream.stop()))
})

const key = { 'api-key': testKey }

function head(headers: Record<string, string | number>, path = '/openai/v1/chat/completions'): string {
  const all = { host: 'ponto', 'content-type': 'application/json', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

function whole(model: string, stream = false): string {
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] })
  return head({ ...key, 'content-length': body.length }) + body
}

/** What came until the connection was closed. */
async function send(text: string, drive?: (socket: Socket) => void): Promise<string> {
  const socket = connect(Number(new URL(ponto.url).port), '127.0.0.1')
  socket.setEncoding('latin1')
  let got = ''
  socket.on('data', (part) => {
    got += part
  })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  socket.write(text)
  drive?.(socket)
  await closed
  return got
}

test.concurrent.each([
  ['nothing', '', []],
  ['half a header', head(key).slice(0, 60), []],
  ['half a body of known length', `${head({ ...key, 'content-length': 100 })}{"model":`, []],
  ['half a body in chunks', `${head({ ...key, 'transfer-encoding': 'chunked' })}9\r\n{"model":\r\n`, []],
  ['half a body with a wrong key', `${head({ 'api-key': 'no', 'content-length': 100 })}{"model":`, [401]],
  ['half a body to no route', `${head({ ...key, 'content-length': 100 }, '/nowhere')}{"model":`, [404]],
  ['a request and no other', whole('quick'), [200]],
  ['a stream and no other', whole('stream', true), [200]],
] as const)(
  'who sends %s is cut off',
  async (_name, text, statuses) => {
    const got = await send(text)
    expect([...got.matchAll(/^HTTP\/1.1 (\d+)/gm)].map((match) => Number(match[1]))).toEqual([...statuses])
  },
  latestMs,
)

test.concurrent(
  'who sends half a second request is cut off',
  async () => {
    const got = await send(whole('quick'), (socket) => {
      socket.once('data', () => socket.write(`${head({ ...key, 'content-length': 100 })}{"model":`))
    })
    expect(got.match(/HTTP/g)).toHaveLength(1)
  },
  latestMs,
)

test.concurrent(
  'who lets a body trickle in is cut off',
  async () => {
    let trickle: ReturnType<typeof setInterval> | undefined
    const got = await send(head({ ...key, 'content-length': 5_000 }), (socket) => {
      trickle = setInterval(() => socket.write(' '), 250)
    })
    clearInterval(trickle)
    expect(got).toBe('')
  },
  latestMs,
)

test.concurrent(
  'who does not take a stream is cut off, and the upstream with them',
  async () => {
    let resume: (() => void) | undefined
    const cut = send(whole('endless', true), (socket) => {
      socket.pause()
      resume = () => socket.resume()
    })
    const seen = await requestOf('endless')
    expect(await seen.finished).toBe(false)
    resume?.()
    expect(await cut).not.toContain('[DONE]')
  },
  latestMs,
)

test.concurrent(
  'who waits for a silent model gets the answer',
  async () => {
    const [thought, paused] = await Promise.all([send(whole('thinking')), send(whole('pausing', true))])
    expect(thought).toContain('"chat.completion"')
    expect(paused).toContain('[DONE]')
  },
  latestMs,
)

test('none of this is an error of ours', () => {
  expect(ponto.logs.filter(({ level }) => level === 'error')).toEqual([])
})

async function requestOf(name: string) {
  for (;;) {
    const seen = upstreams[name]?.requests[0]
    if (seen) return seen
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
