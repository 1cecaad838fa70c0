import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { event, type FakeUpstream, type Step, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { readPayloads, testKey } from '../support/harness.ts'
import { type HarnessProcess, startHarnessProcess } from '../support/harness-process.ts'

/** 200 streams at once through one upstream deployment, one of their callers stalled and one gone. */

const streams = 200
const offeredBytes = 256 * 1024 * 1024
/** 200 streams and what may be buffered for the stalled one. */
const growthBytes = 48 * 1024 * 1024
/** The same with the garbage of 256 MB passed on at full speed. */
const catchUpGrowthBytes = 128 * 1024 * 1024

const content = (index: number) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { content: `word ${index} ` }, finish_reason: null }],
})
const dripped = Array.from({ length: 100 }, (_, index) => content(index))
const drip: readonly Step[] = [
  sseHead,
  ...dripped.flatMap((payload): Step[] => [event(payload), { do: 'wait', ms: 30 }]),
  { do: 'send', text: 'data: [DONE]\n\n' },
  { do: 'end' },
]
const large = event({ ...content(0), choices: [{ index: 0, delta: { content: 'x'.repeat(65_536) } }] })
const largeBytes = (large as { text: string }).text.length
const flood: readonly Step[] = [
  sseHead,
  ...Array.from({ length: Math.ceil(offeredBytes / largeBytes) }, () => large),
  { do: 'send', text: 'data: [DONE]\n\n' },
  { do: 'end' },
]

let upstream: FakeUpstream
let ponto: HarnessProcess

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarnessProcess({ name: 'up', model: { name: 'm' }, backends: [{ url: `${upstream.url}/v1` }] })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})

const body = JSON.stringify({ model: 'up', stream: true, messages: [{ role: 'user', content: 'hi' }] })
const headers = { 'content-type': 'application/json', 'api-key': testKey }

function openStream(signal?: AbortSignal): Promise<Response> {
  const url = `${ponto.url}/openai/v1/chat/completions`
  return fetch(url, { method: 'POST', headers, body, signal: signal ?? null })
}

async function readSteadily(): Promise<{ startedAt: number; endedAt: number; payloads: string[] }> {
  const response = await openStream()
  const startedAt = performance.now()
  const payloads = await readPayloads(response)
  return { startedAt, endedAt: performance.now(), payloads }
}

/** Sends the request and then takes nothing that comes. */
function openStalled(): Socket {
  const socket = connect(Number(new URL(ponto.url).port), '127.0.0.1')
  const lines = Object.entries({ host: 'ponto', 'content-length': body.length, ...headers })
  socket.pause()
  socket.write(
    `POST /openai/v1/chat/completions HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
  return socket
}

async function countUntilEnd(socket: Socket): Promise<number> {
  let bytes = 0
  let tail = ''
  socket.resume()
  for await (const part of socket as AsyncIterable<Buffer>) {
    bytes += part.length
    tail = (tail + part.toString('latin1', Math.max(0, part.length - 32))).slice(-32)
    // The last chunk of the transfer coding.
    if (tail.endsWith('0\r\n\r\n')) break
  }
  return bytes
}

async function seenRequest(index: number) {
  while (upstream.requests.length <= index) await Bun.sleep(5)
  return upstream.requests[index] as (typeof upstream.requests)[number]
}

/** The highest resident memory of the server while `work` goes on, in bytes. */
async function peakRssDuring(work: Promise<unknown>): Promise<number> {
  let isOver = false
  const ended = work.finally(() => {
    isOver = true
  })
  let peak = 0
  while (!isOver) {
    peak = Math.max(peak, await ponto.readRss())
    await Promise.race([ended, Bun.sleep(50)])
  }
  await ended
  return peak
}

test('200 streams, one caller stalled, one gone: memory flat, the others unaffected, the gone one’s upstream closed', async () => {
  // A first round, so that code and pools are warm before memory is compared.
  upstream.script([sseHead, event(content(0)), { do: 'end' }])
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 50 }, async () => (await openStream()).text()))
  }
  upstream.requests.length = 0
  const rssBefore = await ponto.readRss()

  upstream.script(flood, drip)
  const stalled = openStalled()
  const stalledRequest = await seenRequest(0)
  const leave = new AbortController()
  const gone = openStream(leave.signal)
  const goneRequest = await seenRequest(1)
  const others = Promise.all(Array.from({ length: streams - 2 }, readSteadily))
  const rss = peakRssDuring(others)

  const reader = (await gone).body?.getReader()
  await reader?.read()
  leave.abort()
  expect(await goneRequest.finished).toBe(false)

  const answers = await others
  const expected = [...dripped.map((payload) => JSON.stringify(payload)), '[DONE]']
  for (const { payloads } of answers) expect(payloads).toEqual(expected)
  // They really ran at the same time: the last had begun before the first ended.
  const lastStart = Math.max(...answers.map(({ startedAt }) => startedAt))
  expect(lastStart).toBeLessThan(Math.min(...answers.map(({ endedAt }) => endedAt)))
  expect(upstream.requests.length).toBe(streams)
  expect((await rss) - rssBefore).toBeLessThan(growthBytes)

  // All this time the upstream was held back. It gets rid of everything once the stalled caller reads on.
  expect(await Promise.race([stalledRequest.finished, Bun.sleep(0).then(() => 'held back')])).toBe('held back')
  const caughtUp = countUntilEnd(stalled)
  const catchUpRss = await peakRssDuring(caughtUp)
  expect(await caughtUp).toBeGreaterThan(offeredBytes)
  expect(await stalledRequest.finished).toBe(true)
  expect(catchUpRss - rssBefore).toBeLessThan(catchUpGrowthBytes)
  stalled.destroy()
}, 30_000)
