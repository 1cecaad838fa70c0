import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareInput } from './prepare-input.ts'
import { splitLines } from './split-lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'ponto-input-'))
afterAll(() => rmSync(folder, { recursive: true }))

function write(...lines: (object | string)[]): string {
  const file = join(folder, 'in.jsonl')
  writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return file
}

const line = (id: string, body: object) => ({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body })

async function collect(content: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of content ?? []) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

const refusalOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing',
    (error: Error) => error.message,
  )

test('the deployment is written into lines that name none, and into no other', async () => {
  const named = '{ "custom_id": "b",  "body": {"model":"GPT", "seed": 1.0} }'
  const file = write(line('a', { messages: [] }), named, '', line('c', { model: null }))
  const { lines, size, content } = await prepareInput(file, 'gpt')
  const text = await collect(content?.())
  expect(lines).toBe(3)
  expect(text).toBe(
    `${JSON.stringify(line('a', { messages: [], model: 'gpt' }))}\n${named}\n\n${JSON.stringify(line('c', { model: 'gpt' }))}\n`,
  )
  expect(size).toBe(Buffer.byteLength(text))
})

test('a file that needs no change is sent as it is, but for its byte order mark', async () => {
  const text = `${JSON.stringify(line('a', { model: 'gpt', text: 'a\u2028b' }))}\r`
  expect(await prepareInput(write(text, ''), undefined)).toEqual({
    lines: 1,
    size: Buffer.byteLength(text) + 1,
    content: undefined,
  })
  const { size, content } = await prepareInput(write(`\uFEFF${text}`, ''), 'gpt')
  expect([size, await collect(content?.())]).toEqual([Buffer.byteLength(text) + 1, `${text}\n`])
})

test('what is wrong is told with its line, as much as there is', async () => {
  const file = write(
    line('a', { model: 'other' }),
    '[1]',
    '{"custom_id": "x"',
    { custom_id: 'no body' },
    line('b', { model: 5 }),
    line('good', {}),
  )
  expect(await refusalOf(prepareInput(file, 'gpt'))).toBe(
    [
      `${file}:1: the request names "other", not "gpt"; a batch is for one deployment`,
      `${file}:2: expected a JSON object: {"custom_id", "method", "url", "body"}`,
      `${file}:3: the line is no JSON (JSON Parse error: Expected '}')`,
      `${file}:4: "body" is missing: the request itself, as an object`,
      `${file}:5: "body.model" must be the name of a deployment`,
    ].join('\n'),
  )
  expect(await refusalOf(prepareInput(write(line('a', {})), undefined))).toBe(
    `${file}:1: the request names no model; say which with --deployment NAME`,
  )
})

test('a file of nothing but mistakes is not read to its end', async () => {
  const told = (await refusalOf(prepareInput(write(...Array(1000).fill('x')), 'gpt'))).split('\n')
  expect(told).toHaveLength(21)
  expect(told.at(-1)).toContain('nothing was uploaded')
})

test('a file without requests, one that is not there, and one that changes', async () => {
  expect(await refusalOf(prepareInput(write('', ''), 'gpt'))).toContain('holds no requests')
  expect(await refusalOf(prepareInput(join(folder, 'nothing.jsonl'), 'gpt'))).toContain('cannot be read (ENOENT)')
  const { content } = await prepareInput(write(line('a', {})), 'gpt')
  const file = write(line('a', { model: 'other' }))
  expect(await refusalOf(collect(content?.()))).toContain(`${file} has changed while it was sent: line 1`)
})

test('however the bytes come, the lines are the same, and none longer than allowed is held', async () => {
  const text = Buffer.from('a\n\nbüc\r\nlast')
  async function* inPieces(length: number) {
    for (let at = 0; at < text.length; at += length) yield text.subarray(at, at + length)
  }
  for (const length of [1, 2, 3, 100]) {
    const lines: string[] = []
    for await (const { number, bytes } of splitLines(inPieces(length), 100))
      lines.push(`${number}:${Buffer.from(bytes)}`)
    expect(lines).toEqual(['1:a\n', '2:\n', '3:büc\r\n', '4:last'])
  }
  const read: number[] = []
  for await (const { bytes } of splitLines(inPieces(1), 3)) read.push(bytes.length)
  expect(read).toEqual([2, 1, 4])
})
