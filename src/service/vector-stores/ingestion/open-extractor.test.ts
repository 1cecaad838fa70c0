import { afterAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { asFile, writeDocx, writePdf, writePptx, writeXlsx } from './documents.fixture.ts'
import { openExtractor } from './open-extractor.ts'
import { defaultChunking, type SourceFile } from './port.ts'

const { signal } = new AbortController()
const extractor = openExtractor()
afterAll(() => extractor.close())

/** Only there processes can be listed. */
const isLinux = process.platform === 'linux'

/** Processes of this one that read documents. */
function listReaders(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        return (
          Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('ingestion/child')
        )
      } catch {
        return false
      }
    })
}

test('every kind goes through the process', async () => {
  const files = [
    asFile('a.txt', 'Hello there.'),
    asFile('a.html', '<p>Hello there.'),
    asFile('a.docx', writeDocx(['Hello there.'])),
    asFile('a.pptx', writePptx(['Hello there.'])),
    asFile('a.xlsx', writeXlsx('Sheet', [['Hello there.']])),
    asFile('a.pdf', writePdf([['Hello there.']])),
  ]
  for (const answer of await Promise.all(files.map((file) => extractor.extract(file, signal))))
    expect(answer.text).toContain('Hello there.')
})

test('a long text comes whole, in pieces too, in whatever portions its bytes come', async () => {
  const text = Array.from({ length: 40_000 }, (_, i) => `Sentence ${i} — 漢字 👍.\n`).join('')
  const { text: extracted } = await extractor.extract(asFile('a.txt', text, 7_777), signal)
  expect(extracted).toBe(text)
  const { kind, chunks, characters, tokens } = await extractor.extractChunks(
    asFile('a.md', text),
    defaultChunking,
    signal,
  )
  expect(chunks.map(({ text, repeated }) => text.slice(repeated)).join('')).toBe(text)
  expect({ kind, characters }).toEqual({ kind: 'md', characters: text.length })
  expect(tokens).toBeGreaterThan(40_000 * 5)
})

test('many at once are read one after the other, each for itself', async () => {
  const files = Array.from({ length: 60 }, (_, i) =>
    i % 3 === 0 ? asFile('a.pdf', `%PDF-1.7 broken ${i}`) : asFile('a.txt', `number ${i}`),
  )
  const answers = await Promise.allSettled(files.map((file) => extractor.extract(file, signal)))
  for (const [i, answer] of answers.entries()) {
    if (i % 3 === 0) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'invalid_file' } })
    else expect(answer).toMatchObject({ status: 'fulfilled', value: { text: `number ${i}` } })
  }
})

test('what is empty, too large or of another size than it says costs no process', async () => {
  const small = openExtractor({ limits: { fileBytes: 100 } })
  const file = asFile('a.txt', 'x'.repeat(50))
  expect(small.extract(asFile('a.txt', ''), signal)).rejects.toMatchObject({ code: 'invalid_file' })
  expect(small.extract(asFile('a.txt', 'x'.repeat(101)), signal)).rejects.toMatchObject({
    code: 'invalid_file',
    message: expect.stringMatching(/101 bytes/),
  })
  for (const bytes of [49, 51])
    expect(await small.extract({ ...file, bytes }, signal).catch((error) => error.code)).toBe('server_error')
  expect((await small.extract(file, signal)).text).toHaveLength(50)
  await small.close()
})

test('a text of too many tokens', async () => {
  const small = openExtractor({ limits: { tokens: 1_000 } })
  const reading = (words: number) =>
    small.extractChunks(asFile('a.txt', 'word '.repeat(words)), defaultChunking, signal)
  expect((await reading(900)).tokens).toBeWithin(899, 903)
  expect(reading(1_100)).rejects.toMatchObject({ code: 'invalid_file', message: expect.stringMatching(/too long/) })
  await small.extract(asFile('a.txt', 'after'), signal)
  await small.close()
})

test('memory: the process is ended, and the next document gets a new one', async () => {
  const small = openExtractor({ limits: { memoryBytes: 300 * 2 ** 20 }, processes: 1 })
  // 60 million characters of JSON are more than is left, as bytes and as text.
  const large = asFile('a.json', Buffer.alloc(120_000_000, '"漢",'))
  expect(await small.extract(large, signal).catch((error) => error)).toMatchObject({
    code: 'invalid_file',
    message: expect.stringMatching(/memory/),
  })
  expect((await small.extract(asFile('a.txt', 'after'), signal)).text).toBe('after')
  await small.close()
}, 30_000)

test('time: the process is ended, and the next document gets a new one', async () => {
  const small = openExtractor({ limits: { wallMs: 300, tokens: 100_000_000 }, processes: 1 })
  await small.extract(asFile('a.txt', 'warm'), signal)
  const slow = asFile('a.txt', '漢'.repeat(16_000_000))
  expect(await small.extractChunks(slow, defaultChunking, signal).catch((error) => error)).toMatchObject({
    code: 'invalid_file',
    message: expect.stringMatching(/longer/),
  })
  await small.close()
}, 30_000)

test.skipIf(!isLinux)('a process that is killed costs its document only', async () => {
  const one = openExtractor({ processes: 1 })
  await one.extract(asFile('a.txt', 'warm'), signal)
  const before = listReaders()
  const stuck: SourceFile = {
    filename: 'a.txt',
    bytes: 10,
    async *open() {
      yield Buffer.from('12345')
      const [reader] = listReaders()
        .filter((pid) => before.includes(pid))
        .slice(-1)
      process.kill(reader as number, 'SIGKILL')
      await new Promise(() => {})
    },
  }
  const waiting = one.extract(asFile('a.txt', 'next'), signal)
  const lost = one.extract(stuck, signal)
  expect((await waiting).text).toBe('next')
  expect(await lost.catch((error) => error)).toMatchObject({ name: 'IngestionError', code: 'server_error' })
  expect((await one.extract(asFile('a.txt', 'after'), signal)).text).toBe('after')
  await one.close()
})

test('a caller who goes is let go at once, running or waiting, and what the source fails with is passed on', async () => {
  const one = openExtractor({ processes: 1 })
  const leaving = new AbortController()
  const stuck: SourceFile = {
    filename: 'a',
    bytes: 5,
    async *open() {
      await new Promise(() => {})
      yield Buffer.of()
    },
  }
  const running = one.extract(stuck, leaving.signal)
  const queued = one.extract(asFile('a.txt', 'queued'), leaving.signal)
  const staying = one.extract(asFile('a.txt', 'staying'), signal)
  setTimeout(() => leaving.abort(new Error('gone')), 20)
  for (const left of await Promise.allSettled([running, queued]))
    expect(left).toMatchObject({ reason: { message: 'gone' } })
  expect((await staying).text).toBe('staying')
  const failing: SourceFile = {
    filename: 'a',
    bytes: 5,
    async *open() {
      yield Buffer.of(1)
      throw new Error('the store is away')
    },
  }
  expect(await one.extract(failing, signal).catch((error) => error.message)).toBe('the store is away')
  await one.close()
})

test.skipIf(!isLinux)('processes end when there is nothing to do, and when the extractor is closed', async () => {
  const one = openExtractor({ idleMs: 20 })
  const others = listReaders()
  await one.extract(asFile('a.txt', 'text'), signal)
  for (let i = 0; i < 200 && listReaders().some((pid) => !others.includes(pid)); i++) await Bun.sleep(20)
  expect(listReaders().filter((pid) => !others.includes(pid))).toEqual([])
  expect((await one.extract(asFile('a.txt', 'again'), signal)).text).toBe('again')
  await one.close()
  expect(listReaders().filter((pid) => !others.includes(pid))).toEqual([])
  expect(one.extract(asFile('a.txt', 'late'), signal)).rejects.toMatchObject({ code: 'server_error' })
})

test.skipIf(!isLinux)('the process sees nothing of the environment', async () => {
  await extractor.extract(asFile('a.txt', 'text'), signal)
  const [pid] = listReaders()
  expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('PATH=')
})
