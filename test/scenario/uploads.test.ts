import { afterAll, describe, expect, test } from 'bun:test'
import { createHash, type Hash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { formBoundary, formType, makeBytes } from '../support/form.ts'
import { type Harness, startHarness, testKey } from '../support/harness.ts'
import { type HarnessProcess, startHarnessProcess } from '../support/harness-process.ts'

/** Large forms, slow upstreams and callers that go: nothing is held whole, and whoever stops stops the other side. */

const idleLimitS = 4
const silenceMs = 9_000
const latestMs = 30_000
const uploadBytes = 96 * 1024 * 1024
/** What sockets and garbage may come to; a form held whole would be twice that, with its copies more. */
const growthBytes = 48 * 1024 * 1024

type Upload = {
  readonly request: IncomingMessage
  readonly hash: Hash
  bytes: number
  /** True when the request came to its end, false when it broke off. */
  readonly ended: Promise<boolean>
}

type Sink = {
  readonly url: string
  readonly uploads: Upload[]
  /** Reads nothing until `open` is called. */
  hold(): void
  open(): void
  stop(): void
}

/** An upstream that hashes what it is sent, at the pace it is told. */
async function startSink(): Promise<Sink> {
  const uploads: Upload[] = []
  let isOpen = true
  const server: Server = createServer((request, response) => {
    const ended = new Promise<boolean>((resolve) => {
      request.once('end', () => resolve(true))
      request.once('close', () => resolve(false))
      request.once('error', () => resolve(false))
    })
    const upload: Upload = { request, hash: createHash('sha256'), bytes: 0, ended }
    uploads.push(upload)
    const read = (): void => {
      request.on('data', (part: Buffer) => {
        upload.bytes += part.length
        upload.hash.update(part)
      })
    }
    if (isOpen) read()
    else starters.push(read)
    void ended.then((isWhole) => isWhole && response.writeHead(200).end('{"ok":true}'))
  })
  const starters: (() => void)[] = []
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    uploads,
    hold() {
      isOpen = false
    },
    open() {
      isOpen = true
      for (const start of starters.splice(0)) start()
    },
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const deploymentOf = (sink: Sink) => ({ name: 'images', model: { name: 'm' }, backends: [{ url: sink.url }] })
const running: { stop(): unknown }[] = []
// The tests go on side by side.
afterAll(async () => {
  for (const item of running.splice(0)) await item.stop()
})

const head = `POST /openai/v1/images/edits HTTP/1.1\r\nhost: ponto\r\napi-key: ${testKey}\r\ncontent-type: ${formType}\r\ntransfer-encoding: chunked\r\n\r\n`
const before = (name: string, filename = '') =>
  Buffer.from(`\r\n--${formBoundary}\r\nContent-Disposition: form-data; name="${name}"${filename}\r\n\r\n`)
const lead = Buffer.concat([before('prompt'), Buffer.from('a hat'), before('image', '; filename="a.png"')])
const modelField = (value: string) =>
  `--${formBoundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${value}`
const closing = `\r\n--${formBoundary}--\r\n`

type Caller = {
  readonly socket: Socket
  readonly answer: Promise<string>
  send(bytes: Uint8Array | string): Promise<void>
}

/** Sends a form bit by bit, each time when the last bit has been taken. */
function openCaller(url: string): Caller {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let got = ''
  const answer = new Promise<string>((resolve) => {
    socket.on('data', (bytes) => {
      got += bytes.toString('latin1')
      if (got.includes('\r\n\r\n')) resolve(got)
    })
    socket.on('close', () => resolve(got))
  })
  socket.on('error', () => {})
  socket.write(head)
  return {
    socket,
    answer,
    send(bytes) {
      const piece = Buffer.from(bytes as Uint8Array)
      const isTaken = socket.write(
        Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
      )
      return isTaken ? Promise.resolve() : new Promise((resolve) => socket.once('drain', () => resolve()))
    },
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5)
}

describe('a large form', () => {
  const piece = makeBytes(256 * 1024)
  const count = uploadBytes / piece.length

  test(
    `of ${uploadBytes / 1024 / 1024} MB to an upstream that waits: bounded memory, and the caller is held back`,
    async () => {
      const sink = await startSink()
      const ponto: HarnessProcess = await startHarnessProcess(deploymentOf(sink))
      running.push(ponto, sink)
      const expected = createHash('sha256').update(modelField('m')).update(lead)
      for (let i = 0; i < count; i++) expected.update(piece)
      expected.update(closing)

      let taken = 0
      const upload = async (caller: Caller, pieces: number): Promise<void> => {
        await caller.send(modelField('images'))
        await caller.send(lead)
        for (taken = 0; taken < pieces; taken++) await caller.send(piece)
        await caller.send(closing)
        caller.socket.write('0\r\n\r\n')
      }
      // A first one, so that code and pools are warm before memory is compared.
      const warm = openCaller(ponto.url)
      await upload(warm, 40)
      expect(await warm.answer).toStartWith('HTTP/1.1 200')
      const rssBefore = await ponto.readRss()

      sink.hold()
      const caller = openCaller(ponto.url)
      const sent = upload(caller, count)
      await until(() => sink.uploads.length === 2)
      let last = -1
      while (last !== taken) {
        last = taken
        await Bun.sleep(250)
      }
      expect(taken).toBeLessThan(count / 3)
      expect((await ponto.readRss()) - rssBefore).toBeLessThan(growthBytes)

      sink.open()
      let peak = 0
      let isSent = false
      void sent.then(() => {
        isSent = true
      })
      while (!isSent) peak = Math.max(peak, await ponto.readRss())
      expect(await caller.answer).toStartWith('HTTP/1.1 200')
      expect(peak - rssBefore).toBeLessThan(growthBytes)
      expect(sink.uploads[1]?.hash.digest('hex')).toBe(expected.digest('hex'))
      caller.socket.destroy()
      warm.socket.destroy()
    },
    latestMs,
  )
})

describe.concurrent('who stops', () => {
  async function setUp(): Promise<{ sink: Sink; url: string; logs: Harness['logs'] }> {
    const sink = await startSink()
    const harness = await startHarness({ idleLimitS })
    running.push({ stop: () => harness.stop() }, sink)
    harness.deploy(deploymentOf(sink))
    return { sink, url: harness.url, logs: harness.logs }
  }

  async function begin(sink: Sink, url: string): Promise<Caller> {
    const caller = openCaller(url)
    await caller.send(modelField('images'))
    await caller.send(lead)
    await caller.send(makeBytes(100_000))
    await until(() => sink.uploads.length === 1)
    return caller
  }

  test('a caller that goes in the middle of its upload ends that of the upstream', async () => {
    const { sink, url, logs } = await setUp()
    const caller = await begin(sink, url)
    await until(() => (sink.uploads[0]?.bytes ?? 0) > 50_000)
    caller.socket.destroy()
    expect(await sink.uploads[0]?.ended).toBe(false)
    expect(logs.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
  })

  test(
    'a caller that falls silent is cut off, and the upstream with it',
    async () => {
      const { sink, url, logs } = await setUp()
      const caller = await begin(sink, url)
      expect(await sink.uploads[0]?.ended).toBe(false)
      expect(await caller.answer).not.toContain('200')
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    },
    latestMs,
  )

  test(
    'a caller whose upstream takes its time is not',
    async () => {
      const { sink, url } = await setUp()
      sink.hold()
      const caller = openCaller(url)
      const sent = (async () => {
        await caller.send(modelField('images'))
        await caller.send(lead)
        for (let i = 0; i < 200; i++) await caller.send(makeBytes(100_000))
        await caller.send(closing)
        caller.socket.write('0\r\n\r\n')
      })()
      await Bun.sleep(silenceMs)
      expect(caller.socket.closed).toBe(false)
      sink.open()
      await sent
      expect(await caller.answer).toStartWith('HTTP/1.1 200')
      expect(sink.uploads[0]?.bytes).toBeGreaterThan(20_000_000)
      caller.socket.destroy()
    },
    latestMs,
  )

  test('an upstream that refuses in the middle is heard, and the caller need not go on', async () => {
    const sink = await startSink()
    const harness = await startHarness({ idleLimitS })
    const refusing = createServer((request, response) => {
      request.once('data', () =>
        response.writeHead(413, { 'content-type': 'application/json' }).end('{"error":{"message":"too large"}}'),
      )
    })
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve))
    running.push({ stop: () => harness.stop() }, sink, { stop: () => refusing.close() })
    const url = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}/v1`
    harness.deploy({ name: 'images', model: { name: 'm' }, backends: [{ url }] })
    const caller = openCaller(harness.url)
    await caller.send(modelField('images'))
    await caller.send(lead)
    await caller.send(makeBytes(100_000))
    expect(await caller.answer).toContain('too large')
    caller.socket.destroy()
  })
})
