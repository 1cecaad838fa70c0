import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { NotFoundError } from 'openai'
import { type FilesServer, startFilesServer } from '../support/files-server.ts'
import { type FormPart, formType, makeBytes, writeForm } from '../support/form.ts'
import { testKey } from '../support/harness.ts'
import { failureOf, listSdkClients } from '../support/sdk-clients.ts'

/** Files as clients meet them: by the SDK on both surfaces, and by hand where it would not send such a thing. */

const dated = '?api-version=2024-10-21'
let ponto: FilesServer

beforeAll(async () => {
  ponto = await startFilesServer()
})
afterAll(() => ponto.stop())

const clients = listSdkClients(() => ponto.url)
const fileOf = (content: string | Uint8Array, name: string) => new File([content as BlobPart], name)

async function send(
  path: string,
  parts: readonly FormPart[],
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: Awaited<ReturnType<Response['json']>> }> {
  const response = await fetch(ponto.url + path, {
    method: 'POST',
    headers: { 'api-key': testKey, 'content-type': formType, ...headers },
    body: writeForm(...parts) as BodyInit,
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

const jsonl: FormPart = ['file', '{"a":1}\n', 'a.jsonl']
const batch: FormPart = ['purpose', 'batch']

async function countBlobs(prefix = ''): Promise<number> {
  let count = 0
  for await (const _ of ponto.blobs.list(prefix)) count++
  return count
}

describe.each(clients)('the SDK: %s', (_name, open) => {
  test('a file is uploaded, found, listed, read and deleted', async () => {
    const client = open('key-of-blue')
    const content = makeBytes(700_000)
    const made = await client.files.create({
      file: fileOf(content, 'Größe "1" 東京.jsonl'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 1_209_600 },
    })
    expect(made).toMatchObject({
      object: 'file',
      bytes: content.length,
      filename: 'Größe "1" 東京.jsonl',
      purpose: 'batch',
      status: 'processed',
      expires_at: made.created_at + 1_209_600,
    })
    expect(Math.abs(made.created_at - Date.now() / 1000)).toBeLessThan(60)
    expect(await client.files.retrieve(made.id)).toEqual(made)
    expect((await client.files.list({ purpose: 'batch' })).data).toEqual([made])
    expect((await client.files.list({ purpose: 'assistants' })).data).toEqual([])
    const response = await client.files.content(made.id)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22%20%E6%9D%B1%E4%BA%AC.jsonl`,
    )
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true)
    expect(await client.files.delete(made.id)).toEqual({ id: made.id, object: 'file', deleted: true })
    expect(await failureOf(client.files.retrieve(made.id))).toBeInstanceOf(NotFoundError)
    expect(await failureOf(client.files.content(made.id))).toBeInstanceOf(NotFoundError)
    expect(await failureOf(client.files.delete(made.id))).toBeInstanceOf(NotFoundError)
  })

  test('the pages of a list follow each other, also while files are deleted', async () => {
    const client = open('key-of-red')
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      ids.push((await client.files.create({ file: fileOf(`${i}`, `${i}.txt`), purpose: 'assistants' })).id)
    }
    const forward: string[] = []
    for await (const { id } of client.files.list({ limit: 2, order: 'asc' })) forward.push(id)
    expect(forward).toEqual(ids)
    const backward: string[] = []
    for await (const { id } of client.files.list({ limit: 2 })) {
      backward.push(id)
      await client.files.delete(id)
    }
    expect(backward).toEqual(ids.toReversed())
    expect((await client.files.list()).data).toEqual([])
  })

  test('another key finds nothing of it; the two keys of the resource are one owner', async () => {
    const made = await open('key-of-red').files.create({ file: fileOf('x', 'x.txt'), purpose: 'user_data' })
    for (const key of ['key-of-blue', testKey, 'second-key']) {
      const other = open(key)
      expect(await failureOf(other.files.retrieve(made.id))).toBeInstanceOf(NotFoundError)
      expect(await failureOf(other.files.content(made.id))).toBeInstanceOf(NotFoundError)
      expect(await failureOf(other.files.delete(made.id))).toBeInstanceOf(NotFoundError)
      expect((await other.files.list()).data.map(({ id }) => id)).not.toContain(made.id)
    }
    expect((await open('key-of-red').files.retrieve(made.id)).id).toBe(made.id)
    await open('key-of-red').files.delete(made.id)
    const shared = await open(testKey).files.create({ file: fileOf('x', 'x.txt'), purpose: 'user_data' })
    await open('second-key').files.delete(shared.id)
  })

  test('an empty file and one of a few bytes come back as they were', async () => {
    for (const content of ['', 'abc']) {
      const made = await open().files.create({ file: fileOf(content, 'a.txt'), purpose: 'evals' })
      const response = await open().files.content(made.id)
      expect(response.headers.get('content-length')).toBe(String(content.length))
      expect(await response.text()).toBe(content)
    }
  })
})

describe('the two surfaces', () => {
  test('a creation: 201 and its address on the dated one, 200 on the other', async () => {
    const one = await send(`/openai/files${dated}`, [batch, jsonl])
    expect([one.status, one.headers.get('location')]).toEqual([
      201,
      `${ponto.url}/openai/files/${one.body.id}?api-version=2024-10-21`,
    ])
    const again = await fetch(one.headers.get('location') as string, { headers: { 'api-key': testKey } })
    expect(await again.json()).toEqual(one.body)
    const other = await send('/openai/v1/files', [batch, jsonl])
    expect([other.status, other.headers.get('location')]).toEqual([200, null])
  })

  test('errors have the shape of each', async () => {
    const get = async (path: string) => {
      const response = await ponto.get(path)
      return { status: response.status, ...(await response.json()) }
    }
    const unknown = 'There is no file "file-nobody". It may have expired, and a key finds its own files only.'
    expect(await get(`/openai/files/file-nobody${dated}`)).toEqual({
      status: 404,
      error: { code: 'notFound', message: unknown, target: 'file_id' },
    })
    expect(await get('/openai/v1/files/file-nobody')).toEqual({
      status: 404,
      error: { code: '404', message: unknown, param: 'file_id', type: 'invalid_request_error' },
    })
    expect(await get('/openai/files')).toMatchObject({
      status: 404,
      error: { code: 'notFound', target: 'api-version' },
    })
    const noKey = await fetch(`${ponto.url}/openai/files${dated}`)
    expect([noKey.status, (await noKey.json()).error.code]).toEqual([401, 'unauthorized'])
    expect((await get(`/openai/files/..%2f..%2fetc%2fpasswd/content${dated}`)).status).toBe(404)
  })

  test('nothing is fetched from an address in a request', async () => {
    const asked = { purpose: 'batch', filename: 'a.jsonl', content_url: `${ponto.url}/openai/files${dated}` }
    const response = await ponto.post(`/openai/files/import${dated}`, asked)
    expect(response.status).toBe(400)
    expect((await response.json()).error).toMatchObject({ code: 'fileImportFailed', target: 'content_url' })
    expect((await ponto.post('/openai/v1/files/import', asked)).status).toBe(405)
  })
})

describe('forms that are refused leave nothing behind', () => {
  const text: FormPart = ['file', 'x', 'a.txt']
  const anchor: FormPart = ['expires_after[anchor]', 'created_at']
  const seconds = (value: string): FormPart => ['expires_after[seconds]', value]
  test.each([
    ['no purpose', [jsonl], 'purpose', 'missing'],
    ['no file', [batch], 'file', 'missing'],
    ['nothing at all', [], 'purpose', 'missing'],
    ['an unknown purpose', [['purpose', 'party'], jsonl], 'purpose', '"user_data"'],
    ['an unknown purpose behind the file', [jsonl, ['purpose', 'party']], 'purpose', '"user_data"'],
    ['a purpose of what only the server makes', [['purpose', 'batch_output'], jsonl], 'purpose', '"batch"'],
    ['a purpose that is a file', [['purpose', 'batch', 'x'], jsonl], 'purpose', 'short text'],
    ['two purposes', [batch, batch, jsonl], 'purpose', 'twice'],
    ['two files', [batch, jsonl, jsonl], 'file', 'twice'],
    ['a file that is a field', [batch, ['file', '{"a":1}']], 'file', 'filename'],
    ['a file without a name', [batch, ['file', 'x', '']], 'file', 'file name'],
    ['a name that is a way up', [batch, ['file', 'x', 'a/..']], 'file', 'file name'],
    ['a batch that is not JSONL', [batch, text], 'file', '.jsonl'],
    ['the same, told behind it', [text, batch], 'file', '.jsonl'],
    ['a life too short', [batch, anchor, seconds('60'), jsonl], 'expires_after[seconds]', '3600'],
    ['a life too long', [jsonl, batch, anchor, seconds('2592001')], 'expires_after[seconds]', '2592000'],
    ['a life of what', [batch, seconds('3600'), jsonl], 'expires_after[anchor]', 'created_at'],
  ] as const)('%s', async (_name, parts, param, words) => {
    const before = await countBlobs()
    const v1 = await send('/openai/v1/files', parts as readonly FormPart[])
    expect([v1.status, v1.body.error.param]).toEqual([400, param])
    expect(v1.body.error.message).toContain(words)
    const { status, body } = await send(`/openai/files${dated}`, parts as readonly FormPart[])
    expect([status, body.error.code, body.error.target]).toEqual([400, 'invalidPayload', param])
    expect(await countBlobs()).toBe(before)
  })

  test('what is no form', async () => {
    const json = await ponto.post('/openai/v1/files', { purpose: 'batch' })
    expect([json.status, (await json.json()).error.param]).toEqual([400, 'Content-Type'])
    const before = await countBlobs()
    const response = await fetch(`${ponto.url}/openai/v1/files`, {
      method: 'POST',
      headers: { 'api-key': testKey, 'content-type': formType },
      body: writeForm(batch, ['file', makeBytes(100_000), 'a.jsonl']).subarray(0, 90_000) as BodyInit,
    })
    expect(response.status).toBe(400)
    expect((await response.json()).error.message).toContain('ends before its closing boundary')
    expect(await countBlobs()).toBe(before)
  })

  test('fields that nobody knows are passed over, be they files', async () => {
    const other: FormPart = ['other', makeBytes(200_000), 'o.bin']
    const { status, body } = await send('/openai/v1/files', [other, batch, ['x', 'y'], jsonl, other])
    expect([status, body.bytes]).toEqual([200, 8])
  })
})

describe('a range of the content', () => {
  const content = makeBytes(900_000)
  let path: string
  beforeAll(async () => {
    const { body } = await send('/openai/v1/files', [
      ['purpose', 'assistants'],
      ['file', content, 'a.bin'],
    ])
    path = `/openai/v1/files/${body.id}/content`
  })
  const getRange = (range: string, more: Record<string, string> = {}) =>
    ponto.get(path, { 'api-key': testKey, range, ...more })

  test.each([
    ['bytes=0-9', 0, 10],
    ['bytes=100-', 100, 900_000],
    ['bytes=100-599999', 100, 600_000],
    ['bytes=-5', 899_995, 900_000],
    ['bytes=899999-9999999', 899_999, 900_000],
  ])('%s', async (range, start, end) => {
    const response = await getRange(range)
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/900000`)
    expect(response.headers.get('accept-ranges')).toBe('bytes')
    expect(Buffer.from(await response.arrayBuffer()).equals(content.subarray(start, end))).toBe(true)
  })

  test('beyond the end', async () => {
    const response = await getRange('bytes=900000-')
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */900000'])
    expect((await response.json()).error.param).toBe('Range')
  })

  test('one that is not understood, or of other content, is the whole', async () => {
    for (const response of [
      await getRange('lines=1-2'),
      await getRange('bytes=0-1,5-6'),
      await getRange('bytes=0-1', { 'if-range': '"other"' }),
    ]) {
      expect(response.status).toBe(200)
      expect((await response.arrayBuffer()).byteLength).toBe(900_000)
    }
    const { headers } = await getRange('bytes=0-1')
    expect((await getRange('bytes=0-1', { 'if-range': headers.get('etag') as string })).status).toBe(206)
  })
})

test.each([
  ['limit=0', 'limit'],
  ['limit=10001', 'limit'],
  ['order=up', 'order'],
  ['purpose=party', 'purpose'],
  ['after=../x', 'after'],
])('a list with %s is refused', async (query, param) => {
  const response = await ponto.get(`/openai/v1/files?${query}`)
  expect([response.status, (await response.json()).error.param]).toEqual([400, param])
})
