import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { Fault } from '../../core/fault.ts'
import { ok, type ScriptedRequest, startServer } from './scripted-server.fixture.ts'
import { makeTransport, patientTimeouts, post, readText } from './transport.fixture.ts'

/** What a server can do to a request, and what must come of it: an answer, or a Fault of one of these codes. */
const behaviours: readonly (readonly [act: (request: ScriptedRequest) => unknown, outcomes: readonly string[]])[] = [
  [({ socket }) => socket.write(ok('fine')), ['fine']],
  [
    ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n'),
    ['fine'],
  ],
  [({ socket }) => socket.end('HTTP/1.1 200 OK\r\n\r\nfine'), ['fine']],
  [({ socket }) => socket.end(ok('fine')), ['fine']],
  [({ socket }) => socket.write(`${ok('fine')}more`), ['fine']],
  [({ socket }) => socket.write(Buffer.concat([gzipHead, gzipBody])), ['fine']],
  [({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfi'), ['upstream-timeout']],
  [({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfi'), ['upstream-failed']],
  [({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n'), ['upstream-failed']],
  [({ socket }) => socket.write('garbage\r\n\r\n'), ['upstream-failed']],
  // On a pooled connection the first is a stale one, the repetition on a fresh one is final.
  [({ socket }) => socket.end(), ['upstream-failed']],
  [({ socket }) => socket.resetAndDestroy(), ['upstream-failed']],
]
const gzipBody = gzipSync('fine')
const gzipHead = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${gzipBody.length}\r\n\r\n`)

test('whatever servers and callers do, every request ends as it should and no place in the pool is lost', async () => {
  const held: ScriptedRequest[] = []
  const server = await startServer((request) => {
    const wish = request.text.slice(request.text.indexOf('\r\n\r\n') + 4)
    if (wish === 'hold') held.push(request)
    else behaviours[Number(wish)]?.[0](request)
    if (held.length === 4) for (const { socket } of held.splice(0)) socket.write(ok('held'))
  })
  const transport = makeTransport(server.origin, {
    maxConnections: 4,
    maxQueued: 1000,
    timeouts: { ...patientTimeouts, idleMs: 150 },
  })
  const attempt = async (round: number): Promise<void> => {
    const wish = (round * 7 + (round >> 4)) % behaviours.length
    const aborter = new AbortController()
    const abortAt = round % 5
    if (abortAt === 1) setTimeout(() => aborter.abort(), round % 50)
    const outcome = await post(transport, String(wish), aborter.signal)
      .then(readText)
      .catch((error: unknown) => {
        if (error instanceof Fault) return error.code
        throw error
      })
    const outcomes = behaviours[wish]?.[1] ?? []
    expect(abortAt === 1 ? [...outcomes, 'client-gone'] : outcomes).toContain(outcome)
  }
  await Promise.all(Array.from({ length: 400 }, (_, round) => attempt(round)))
  // Only when all four places are there do four requests reach the server at once.
  const together = await Promise.all([1, 2, 3, 4].map(() => post(transport, 'hold').then(readText)))
  expect(together).toEqual(['held', 'held', 'held', 'held'])
  transport.close()
  server.stop()
}, 30_000)
