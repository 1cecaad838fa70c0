import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { readdirSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import OpenAI, { BadRequestError } from 'openai'
import { Fault } from '../../src/core/fault.ts'
import type { Blobs } from '../../src/port/blobs/port.ts'
import { openFiles } from '../../src/service/files/open.ts'
import { type FilesServer, startFilesProcess, startFilesServer } from '../support/files-server.ts'
import { formBoundary, formType, makeBytes, writeForm } from '../support/form.ts'
import { startHarness, testKey } from '../support/harness.ts'
import type { HarnessProcess } from '../support/harness-process.ts'

/** Large files, callers that go or fall silent, and stores that fail in the middle: nothing is held whole, nothing is left behind. */

const largeBytes = 300 * 1024 * 1024
/** What sockets, pieces and garbage may come to. */
const growthBytes = 48 * 1024 * 1024
const latestMs = 60_000
const path = '/openai/v1/files'
const auth = { 'api-key': testKey }

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const item of running.splice(0)) await item.stop()
})
afterAll(() => expect(running).toEqual([]))

async function start(options: Parameters<typeof startFilesServer>[0] = {}): Promise<FilesServer> {
  const server = await startFilesServer(options)
  running.push(server)
  return server
}

const purposeField = (purpose: string) =>
  `--${formBoundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n`
const fileHead = `--${formBoundary}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n`
const formEnd = `\r\n--${formBoundary}--\r\n`
const lead = purposeField('user_data') + fileHead

async function* stream(length: number, piece = Buffer.alloc(1024 * 1024)): AsyncGenerator<Uint8Array> {
  yield Buffer.from(lead)
  for (let sent = 0; sent < length; sent += piece.length) yield piece
  yield Buffer.from(formEnd)
}

/** Bun takes an async iterable as a body. */
function upload(url: string, body: AsyncIterable<Uint8Array> | Uint8Array): Promise<Response> {
  const headers = { ...auth, 'content-type': formType }
  return fetch(url + path, { method: 'POST', headers, body: body as unknown as BodyInit })
}

const small = (purpose = 'user_data', content: string | Uint8Array = 'hello') =>
  writeForm(['purpose', purpose], ['file', content, 'a.bin'])

/** Every file below the folder of the blobs, half-written ones included. */
function listFiles(server: FilesServer): string[] {
  const folder = join(server.folder, 'blobs')
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile())
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5)
}

test(
  `a file of ${largeBytes / 1024 / 1024} MB goes in and out in bounded memory, also to a reader that stops`,
  async () => {
    const ponto: HarnessProcess = await startFilesProcess()
    running.push(ponto)
    // A first one, so that code and pools are warm before memory is compared.
    const warm = await (await upload(ponto.url, stream(32 * 1024 * 1024))).json()
    await (await fetch(`${ponto.url}${path}/${warm.id}/content`, { headers: auth })).arrayBuffer()
    const rssBefore = await ponto.readRss()
    let peak = 0
    let isOver = false
    const watching = (async () => {
      while (!isOver) {
        peak = Math.max(peak, await ponto.readRss())
        await Bun.sleep(20)
      }
    })()
    const response = await upload(ponto.url, stream(largeBytes))
    const made = await response.json()
    expect([response.status, made.bytes]).toEqual([200, largeBytes])
    const address = `${path}/${made.id}/content`

    const stalled = connect(Number(new URL(ponto.url).port), '127.0.0.1')
    stalled.pause()
    stalled.write(`GET ${address} HTTP/1.1\r\nhost: ponto\r\napi-key: ${testKey}\r\n\r\n`)

    let length = 0
    const { body } = await fetch(ponto.url + address, { headers: auth })
    for await (const bytes of body ?? []) length += bytes.length
    expect(length).toBe(largeBytes)
    isOver = true
    await watching
    stalled.destroy()
    expect(peak - rssBefore).toBeLessThan(growthBytes)
  },
  latestMs,
)

describe('callers', () => {
  function openCaller(server: FilesServer): { socket: Socket; closed: Promise<void> } {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: ponto\r\napi-key: ${testKey}\r\ncontent-type: ${formType}\r\ncontent-length: 100000000\r\n\r\n${lead}`,
    )
    socket.write(makeBytes(3_000_000))
    socket.resume()
    return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) }
  }

  test('one that hangs up in the middle of an upload leaves nothing, and is no error of ours', async () => {
    const server = await start()
    const { socket } = openCaller(server)
    await until(() => listFiles(server).some((name) => name.startsWith('.writing')))
    socket.destroy()
    await until(() => listFiles(server).length === 0)
    expect((await server.files.store.list({ owner: '' }, { limit: 5, order: 'asc' })).length).toBe(0)
    expect(server.logs.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
    expect((await upload(server.url, small())).status).toBe(200)
  })

  test(
    'one that falls silent is cut off, and leaves nothing',
    async () => {
      const server = await start({ idleLimitS: 4 })
      const { closed } = openCaller(server)
      await until(() => listFiles(server).length === 1)
      await closed
      await until(() => listFiles(server).length === 0)
    },
    latestMs,
  )

  test('one that goes in the middle of a download closes what it is read from', async () => {
    const open = new Set<string>()
    const server = await start({
      wrapBlobs: (blobs) => ({
        ...blobs,
        async *read(key, range) {
          open.add(key)
          try {
            yield* blobs.read(key, range)
          } finally {
            open.delete(key)
          }
        },
      }),
    })
    const { id } = await (await upload(server.url, stream(64 * 1024 * 1024))).json()
    const stopping = new AbortController()
    const { body } = await fetch(`${server.url}${path}/${id}/content`, { headers: auth, signal: stopping.signal })
    const reader = body?.getReader()
    await reader?.read()
    expect(open.size).toBe(1)
    stopping.abort()
    await until(() => open.size === 0)
  })
})

describe('what is too large or refused', () => {
  test('is told to a client that is still sending, by its headers or when it is seen', async () => {
    const server = await start({ limits: { maxFileBytes: 5_000_000, maxBatchFileBytes: 1_000_000 } })
    const client = new OpenAI({ apiKey: testKey, baseURL: `${server.url}/openai/v1`, maxRetries: 0 })
    const failure = async (purpose: string, length: number, name = 'a.jsonl') => {
      const file = new File([new Uint8Array(length)], name)
      try {
        return await client.files.create({ purpose: purpose as 'batch', file })
      } catch (error) {
        return error
      }
    }
    expect(await failure('batch', 20_000_000)).toMatchObject({ status: 413 })
    expect(await failure('user_data', 5_000_001)).toMatchObject({ status: 413, param: 'file' })
    expect(await failure('batch', 1_000_001)).toMatchObject({ status: 413, param: 'file' })
    expect(await failure('user_data', 5_000_000)).toMatchObject({ bytes: 5_000_000 })
    expect(await failure('batch', 1_000_000)).toMatchObject({ bytes: 1_000_000 })
    expect(await failure('party', 4_000_000)).toBeInstanceOf(BadRequestError)
    // Without a length in its headers.
    expect((await upload(server.url, stream(50 * 1024 * 1024))).status).toBe(413)
    expect(listFiles(server)).toHaveLength(2)
  })

  test('quotas: files that stay, files that expire, and all bytes', async () => {
    const limits = { maxLastingFiles: 2, maxExpiringFiles: 1, maxOwnerBytes: 1000, maxPendingUploads: 1 }
    const server = await start({ limits })
    const send = async (bytes: number, expires: boolean, key = testKey) => {
      const life = [
        ['expires_after[anchor]', 'created_at'],
        ['expires_after[seconds]', '3600'],
      ] as const
      const form = writeForm(['purpose', 'evals'], ['file', new Uint8Array(bytes), 'a'], ...(expires ? life : []))
      const headers = { 'api-key': key, 'content-type': formType }
      const address = `${server.url}/openai/files?api-version=2024-10-21`
      const response = await fetch(address, { method: 'POST', headers, body: form as BodyInit })
      const { id, error } = await response.json()
      return error ? `${response.status} ${error.code}: ${error.message}` : (id as string)
    }
    expect(await send(1001, false)).toContain('400 quotaExceeded: The quota of this key is used up: all files')
    const first = await send(10, false)
    expect(first).toStartWith('file-')
    expect(await send(10, false)).toStartWith('file-')
    expect(await send(10, false)).toContain('2 files are there. Delete some, or let this one expire')
    expect(await send(10, true)).toStartWith('file-')
    expect(await send(10, true)).toContain('2 files and 1 that expire are there')
    expect(await send(10, false, 'key-of-red')).toStartWith('file-')
    await server.files.store.delete('', first)
    expect(await send(10, true)).toContain('1 files that expire are there')
    // What work for the caller makes does not count.
    const id = server.files.store.makeId()
    const made = { id, owner: '', filename: 'o.jsonl', purpose: 'batch_output', createdAt: 1, expiresAt: undefined }
    await server.files.store.createFile(made, stream(10))
    const about = { purpose: 'evals', filename: 'a', bytes: 900, mime_type: 'a/b' }
    expect((await server.post('/openai/v1/uploads', about)).status).toBe(200)
    expect(await send(81, false)).toContain('all files together may have 1000 bytes')
    expect((await server.post('/openai/v1/uploads', { ...about, bytes: 1 })).status).toBe(400)
    expect(await send(80, false)).toStartWith('file-')
  })
})

describe('a store that fails', () => {
  /** The disk takes so many bytes of a write. */
  function fillUp(blobs: Blobs, after: () => number, fault: Fault): Blobs {
    async function* cut(content: AsyncIterable<Uint8Array>) {
      let length = 0
      for await (const bytes of content) {
        length += bytes.length
        if (length > after()) throw fault
        yield bytes
      }
    }
    return { ...blobs, write: (key, content) => blobs.write(key, cut(content)) }
  }

  test.each([
    [507, 'The disk of the server is full.'],
    [503, 'The storage of the server cannot be used at the moment.'],
  ])(
    'in the middle of an upload, with %d: told as such, nothing is left, and the server goes on',
    async (status, message) => {
      let after = 5_000_000
      const fault = new Fault('storage-unavailable', message, { status })
      const server = await start({ wrapBlobs: (blobs) => fillUp(blobs, () => after, fault) })
      const v1 = await upload(server.url, stream(20 * 1024 * 1024))
      expect([v1.status, (await v1.json()).error]).toEqual([
        status,
        { code: 'serviceUnavailable', message, param: null, type: 'server_error' },
      ])
      const dated = await fetch(`${server.url}/openai/files?api-version=2024-10-21`, {
        method: 'POST',
        headers: { ...auth, 'content-type': formType },
        body: small('evals', new Uint8Array(6_000_000)) as BodyInit,
      })
      expect([dated.status, (await dated.json()).error]).toEqual([status, { code: 'serviceUnavailable', message }])
      expect(listFiles(server)).toEqual([])
      after = 1e9
      expect((await upload(server.url, stream(20 * 1024 * 1024))).status).toBe(200)
    },
  )

  test('when a file is read: an error while nothing has gone out, then a broken answer', async () => {
    let after = 0
    const fault = new Fault('storage-unavailable', 'The storage of the server cannot be used at the moment.')
    const server = await start({
      wrapBlobs: (blobs) => ({
        ...blobs,
        async *read(key, range) {
          let length = 0
          for await (const bytes of blobs.read(key, range)) {
            length += bytes.length
            if (length > after) throw fault
            yield bytes
          }
        },
      }),
    })
    const { id } = await (await upload(server.url, stream(4 * 1024 * 1024))).json()
    const address = `${server.url}${path}/${id}/content`
    for (const range of ['bytes=0-', 'bytes=0-9']) {
      const response = await fetch(address, { headers: { ...auth, range } })
      expect([response.status, (await response.json()).error.code]).toEqual([503, 'serviceUnavailable'])
    }
    after = 1_000_000
    const broken = await fetch(address, { headers: auth })
    expect(broken.status).toBe(200)
    await expect(broken.arrayBuffer()).rejects.toThrow()
    expect(server.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContain(
      `an answer was cut off: ${fault.message}`,
    )
    after = 1e9
    expect((await (await fetch(address, { headers: auth })).arrayBuffer()).byteLength).toBe(4 * 1024 * 1024)
  })

  test('a database that cannot be written: the content goes again, and where it lies is not told', async () => {
    const server = await start()
    const secret = 'The database /var/secret/ponto.db cannot be used: disk full.'
    const ignore = () => {}
    const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
    const table = { ...server.tables.files, add: () => Promise.reject(new Fault('state-unusable', secret)) }
    const { routes } = openFiles({ table, blobs: server.blobs, now: Date.now, log })
    const harness = await startHarness({ services: routes })
    running.push(harness)
    const response = await upload(harness.url, small())
    const text = await response.text()
    expect([response.status, text]).toEqual([503, expect.stringContaining('serviceUnavailable')])
    expect(text).not.toContain('secret')
    expect(harness.logs.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([secret])
    expect(listFiles(server)).toEqual([])
  })
})
