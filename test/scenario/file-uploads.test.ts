import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { ConflictError, NotFoundError, type OpenAI } from 'openai'
import { type FilesServer, startFilesServer } from '../support/files-server.ts'
import { formType, makeBytes, writeForm } from '../support/form.ts'
import { testKey } from '../support/harness.ts'
import { failureOf, listSdkClients } from '../support/sdk-clients.ts'

/** Files that come in parts. */

let time = Date.UTC(2026, 5, 1)
let ponto: FilesServer

beforeAll(async () => {
  const limits = { maxUploadBytes: 3_000_000, maxBatchFileBytes: 1_000_000, maxPartBytes: 1_000_000, maxParts: 20 }
  ponto = await startFilesServer({ limits, now: () => time })
})
afterAll(() => ponto.stop())

const clients = listSdkClients(() => ponto.url)
const v1Client = (clients[0] as (typeof clients)[number])[1]

const content = makeBytes(1_500_000)
const pieces = [content.subarray(0, 700_000), content.subarray(700_000, 700_001), content.subarray(700_001)]
const md5 = createHash('md5').update(content).digest('hex')
const about = {
  purpose: 'assistants',
  filename: 'dir/a.bin',
  bytes: content.length,
  mime_type: 'application/octet-stream',
} as const

async function listBlobs(prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of ponto.blobs.list(prefix)) keys.push(key)
  return keys
}

async function sendParts(client: OpenAI, id: string, order = [0, 1, 2]): Promise<string[]> {
  const ids: string[] = []
  for (const at of order) {
    const part = await client.uploads.parts.create(id, { data: new File([pieces[at] as BlobPart], 'blob') })
    expect(part).toMatchObject({ object: 'upload.part', upload_id: id, created_at: Math.floor(time / 1000) })
    ids[at] = part.id
  }
  return ids
}

describe.each(clients)('%s', (_name, open) => {
  test('parts sent in any order become a file in the order that is told, and go', async () => {
    const client = open()
    const upload = await client.uploads.create(about)
    const second = Math.floor(time / 1000)
    expect(upload).toMatchObject({
      object: 'upload',
      purpose: 'assistants',
      filename: 'a.bin',
      bytes: content.length,
      status: 'pending',
      created_at: second,
      expires_at: second + 3600,
      file: null,
    })
    const ids = await sendParts(client, upload.id, [2, 0, 1])
    const done = await client.uploads.complete(upload.id, { part_ids: ids, md5 })
    expect(done).toMatchObject({
      id: upload.id,
      status: 'completed',
      file: { bytes: content.length, filename: 'a.bin' },
    })
    const fileId = done.file?.id as string
    expect(Buffer.from(await (await client.files.content(fileId)).arrayBuffer()).equals(content)).toBe(true)
    expect(await listBlobs(`uploads/${upload.id}/`)).toEqual([])
    // A client whose connection broke asks again.
    expect(await client.uploads.complete(upload.id, { part_ids: ids })).toEqual(done)
    expect(await failureOf(client.uploads.cancel(upload.id))).toBeInstanceOf(ConflictError)
    await client.files.delete(fileId)
  })

  test('one that is cancelled takes nothing more', async () => {
    const client = open()
    const upload = await client.uploads.create(about)
    const ids = await sendParts(client, upload.id)
    expect(await client.uploads.cancel(upload.id)).toMatchObject({ status: 'cancelled', file: null })
    expect(await client.uploads.cancel(upload.id)).toMatchObject({ status: 'cancelled' })
    expect(await failureOf(client.uploads.complete(upload.id, { part_ids: ids }))).toBeInstanceOf(ConflictError)
    expect(await failureOf(sendParts(client, upload.id))).toBeInstanceOf(ConflictError)
    expect(await listBlobs(`uploads/${upload.id}/`)).toEqual([])
  })

  test('one that has expired, and one of somebody else', async () => {
    const client = open('key-of-red')
    const upload = await client.uploads.create(about)
    const ids = await sendParts(client, upload.id)
    for (const other of [open('key-of-blue'), open()]) {
      expect(await failureOf(sendParts(other, upload.id))).toBeInstanceOf(NotFoundError)
      expect(await failureOf(other.uploads.complete(upload.id, { part_ids: ids }))).toBeInstanceOf(NotFoundError)
      expect(await failureOf(other.uploads.cancel(upload.id))).toBeInstanceOf(NotFoundError)
    }
    time += 3_600_000
    for (const ask of [
      () => sendParts(client, upload.id),
      () => client.uploads.complete(upload.id, { part_ids: ids }),
      () => client.uploads.cancel(upload.id),
    ]) {
      const failure = await failureOf(ask())
      expect(failure).toBeInstanceOf(ConflictError)
      expect((failure as Error).message).toContain('has expired')
    }
  })

  test('parts that do not add up, in number, size or content, leave it pending', async () => {
    const client = open()
    const upload = await client.uploads.create(about)
    const [a = '', b = '', c = ''] = await sendParts(client, upload.id)
    const files = (await listBlobs('files/')).length
    const complete = (part_ids: string[], md5?: string) =>
      failureOf(client.uploads.complete(upload.id, { part_ids, ...(md5 !== undefined && { md5 }) }))
    const cases: [() => Promise<unknown>, string][] = [
      [() => complete([]), 'part_ids'],
      [() => complete([a, c]), '1499999 bytes together, expected the 1500000'],
      [() => complete([a, b, b, c]), 'part_ids[2]'],
      [() => complete([a, 'part_nobody', c]), 'part_ids[1]'],
      [() => complete([b, a, c], md5), "'md5'"],
      [() => complete([a, b, c], 'no-md5'), "'md5'"],
    ]
    for (const [ask, words] of cases) {
      const failure = await ask()
      expect(failure).toMatchObject({ status: 400 })
      expect((failure as Error).message).toContain(words)
    }
    expect(await listBlobs('files/')).toHaveLength(files)
    const base64 = createHash('md5').update(content).digest('base64')
    const done = await client.uploads.complete(upload.id, { part_ids: [a, b, c], md5: base64 })
    expect(done.status).toBe('completed')
  })

  test('of several who complete it at once, one makes a file', async () => {
    const client = open()
    const upload = await client.uploads.create(about)
    const ids = await sendParts(client, upload.id)
    const files = (await listBlobs('files/')).length
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        Promise.resolve(client.uploads.complete(upload.id, { part_ids: ids })).catch((error: Error) => error),
      ),
    )
    const made = new Set(answers.flatMap((answer) => ('file' in answer ? (answer.file?.id ?? []) : [])))
    expect(made.size).toBe(1)
    expect(await listBlobs('files/')).toHaveLength(files + 1)
  })
})

test('parts are bounded in size and number, and so is what they come to', async () => {
  const client = v1Client()
  const send = async (id: string, length: number) =>
    failureOf(client.uploads.parts.create(id, { data: new File([new Uint8Array(length)], 'blob') }))
  const upload = await client.uploads.create({ ...about, bytes: 2_000_000 })
  expect(await send(upload.id, 1_000_001)).toMatchObject({ status: 413 })
  for (let i = 0; i < 4; i++) expect(await send(upload.id, 1_000_000)).toBeUndefined()
  expect(await send(upload.id, 1)).toMatchObject({ status: 413 })
  const small = await client.uploads.create({ ...about, bytes: 10 })
  expect(await send(small.id, 11)).toMatchObject({ status: 413 })
  const many = await client.uploads.create({ ...about, bytes: 1000 })
  for (let i = 0; i < 20; i++) expect(await send(many.id, 1)).toBeUndefined()
  expect(await send(many.id, 1)).toMatchObject({ status: 413 })
  for (const { id } of [upload, small, many]) await client.uploads.cancel(id)
  expect((await listBlobs('uploads/')).filter((key) => key.includes(upload.id))).toEqual([])
})

test.each([
  [{ purpose: 'party' }, 'purpose'],
  [{ purpose: undefined }, 'purpose'],
  [{ filename: '..' }, 'filename'],
  [{ purpose: 'batch', filename: 'a.txt' }, 'filename'],
  [{ bytes: 0 }, 'bytes'],
  [{ bytes: 1.5 }, 'bytes'],
  [{ bytes: 3_000_001 }, 'bytes'],
  [{ purpose: 'batch', filename: 'a.jsonl', bytes: 1_000_001 }, 'bytes'],
  [{ mime_type: '' }, 'mime_type'],
  [{ mime_type: 'a/b\nc' }, 'mime_type'],
  [{ expires_after: { anchor: 'created_at', seconds: 5 } }, 'expires_after[seconds]'],
])('an upload with %j is refused', async (more, param) => {
  const response = await ponto.post('/openai/v1/uploads', { ...about, ...more })
  expect([response.status, (await response.json()).error.param]).toEqual([400, param])
})

test('the life of the file begins when it is complete', async () => {
  const made = await ponto.post('/openai/uploads?api-version=2024-10-21', {
    ...about,
    bytes: 3,
    expires_after: { anchor: 'created_at', seconds: 7200 },
  })
  const { id } = await made.json()
  expect(made.headers.get('location')).toBe(`${ponto.url}/openai/uploads/${id}?api-version=2024-10-21`)
  // A part that is a field, as in OpenAI's own example.
  const sent = await fetch(`${ponto.url}/openai/uploads/${id}/parts?api-version=2024-10-21`, {
    method: 'POST',
    headers: { 'api-key': testKey, 'content-type': formType },
    body: writeForm(['data', new Uint8Array([1, 255, 0])]) as BodyInit,
  })
  const part = await sent.json()
  expect(part.azure_block_id).toBe(Buffer.from(part.id).toString('base64'))
  time += 60_000
  const done = await v1Client().uploads.complete(id, { part_ids: [part.id] })
  expect(done.file?.expires_at).toBe(Math.floor(time / 1000) + 7200)
  const file = await v1Client().files.content(done.file?.id as string)
  expect([...new Uint8Array(await file.arrayBuffer())]).toEqual([1, 255, 0])
})

test('a form of a part that has no data, or is none, is refused', async () => {
  const { id } = await v1Client().uploads.create(about)
  const path = `${ponto.url}/openai/v1/uploads/${id}/parts`
  for (const [body, type, param] of [
    [writeForm(['other', 'x']), formType, 'data'],
    [Buffer.from('x'), 'application/octet-stream', 'Content-Type'],
  ] as const) {
    const headers = { 'api-key': testKey, 'content-type': type }
    const response = await fetch(path, { method: 'POST', headers, body: body as BodyInit })
    expect([response.status, (await response.json()).error.param]).toEqual([400, param])
  }
  expect((await listBlobs('uploads/')).filter((key) => key.includes(id))).toEqual([])
})
