import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../core/fault.ts'
import type { Job } from '../../port/jobs/port.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../port/tables/port.ts'
import { createMemoryBlobs, type MemoryBlobs, storeAway } from './memory-blobs.fixture.ts'
import { type Files, openFiles } from './open.ts'

const hourMs = 3_600_000
const ignore = () => {}
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

let folder: string
let time: number
let tables: Tables
let blobs: MemoryBlobs
let files: Files

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-chores-'))
  time = Date.UTC(2026, 0, 1)
  tables = await openSqliteTables(join(folder, 'ponto.db'))
  blobs = createMemoryBlobs(() => time)
  files = openFiles({ table: tables.files, blobs, now: () => time, log })
})
afterEach(async () => {
  await tables.close()
  rmSync(folder, { recursive: true })
})

async function* say(text: string) {
  yield Buffer.from(text)
}

async function make(more: { owner?: string; expiresAt?: number } = {}): Promise<string> {
  const id = files.store.makeId()
  const { owner = '', expiresAt } = more
  const file = { id, owner, filename: 'a.txt', purpose: 'assistants', createdAt: time, expiresAt }
  await files.store.createFile(file, say('hello'))
  return id
}

async function makeUpload(id: string, status: 'pending' | 'completed' | 'cancelled'): Promise<void> {
  await tables.files.addUpload({
    id,
    owner: '',
    filename: 'a.txt',
    purpose: 'assistants',
    bytes: 5,
    mimeType: 'text/plain',
    status: 'pending',
    createdAt: time,
    expiresAt: time + hourMs,
  })
  await blobs.write(`uploads/${id}/part_1`, say('hello'))
  await tables.files.addPart({ id: 'part_1', uploadId: id, bytes: 5, createdAt: time })
  if (status !== 'pending') await tables.files.endUpload(id, 'cancelled')
}

async function run(kind: string, signal = new AbortController().signal): Promise<unknown> {
  const job: Job = { kind, id: 'chore', state: {}, owner: 'w', attempt: 1 }
  return files.handlers[kind]?.run(job, { signal, failures: 0, note: async () => {} })
}

test('files go when their time has come, and not before', async () => {
  const [stays, goes] = [await make({ expiresAt: time + 2 * hourMs }), await make({ expiresAt: time + hourMs })]
  const always = await make()
  time += hourMs - 1
  expect(await files.store.find('', goes)).toMatchObject({ id: goes })
  await run('file-expiry')
  expect(blobs.held.size).toBe(3)
  time += 1
  expect(await files.store.find('', goes)).toBeUndefined()
  expect(await run('file-expiry')).toEqual({ kind: 'done' })
  expect([...blobs.held.keys()].toSorted()).toEqual([`files/${stays}`, `files/${always}`].toSorted())
  expect(await tables.files.get(goes)).toBeUndefined()
})

test('a deletion that broke off is ended', async () => {
  const [id, other] = [await make(), await make()]
  blobs.failure = { after: 0, fault: storeAway }
  expect(await files.store.delete('', id)).toBe(true)
  expect(await files.store.find('', id)).toBeUndefined()
  expect(await files.store.delete('', id)).toBe(false)
  await expect(run('file-expiry')).rejects.toMatchObject({ code: 'storage-unavailable' })
  expect(await tables.files.get(id)).toMatchObject({ status: 'deleting' })
  blobs.failure = undefined
  await run('file-expiry')
  expect(await tables.files.get(id)).toBeUndefined()
  expect([...blobs.held.keys()]).toEqual([`files/${other}`])
})

test('a file that cannot be removed does not keep the others', async () => {
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.push(await make({ expiresAt: time }))
  const { delete: remove } = blobs
  blobs.delete = (key) =>
    key.endsWith(ids[1] as string) ? Promise.reject(new Fault('internal', 'this one not')) : remove(key)
  await expect(run('file-expiry')).rejects.toMatchObject({ message: 'this one not' })
  expect([...blobs.held.keys()]).toEqual([`files/${ids[1]}`])
})

test('more than one portion goes in one run', async () => {
  for (let i = 0; i < 230; i++) await make({ expiresAt: time })
  const stays = await make()
  await run('file-expiry')
  expect([...blobs.held.keys()]).toEqual([`files/${stays}`])
})

test('uploads go with their parts, an hour after their time', async () => {
  await makeUpload('upload_1', 'pending')
  time += 2 * hourMs - 1
  await run('file-expiry')
  expect(blobs.held.size).toBe(1)
  time += 1
  await run('file-expiry')
  expect(blobs.held.size).toBe(0)
  expect(await tables.files.getUpload('upload_1')).toBeUndefined()
  expect(await tables.files.listParts('upload_1')).toEqual([])
})

test('blobs that nobody refers to go, once they are old enough', async () => {
  const id = await make()
  await makeUpload('upload_1', 'pending')
  await makeUpload('upload_2', 'cancelled')
  await blobs.write('files/file-lost', say('lost'))
  await blobs.write('uploads/upload_0/part_9', say('lost'))
  await blobs.write('others/file-lost', say('not ours'))
  const all = blobs.held.size
  time += hourMs - 1
  await run('file-sweep')
  expect(blobs.held.size).toBe(all)
  time += 2
  await run('file-sweep')
  expect([...blobs.held.keys()].toSorted()).toEqual(
    [`files/${id}`, 'others/file-lost', 'uploads/upload_1/part_1'].toSorted(),
  )
})

test('a run that is to end takes no more', async () => {
  await make({ expiresAt: time })
  await run('file-expiry', AbortSignal.abort())
  await run('file-sweep', AbortSignal.abort())
  expect(blobs.held.size).toBe(1)
})
