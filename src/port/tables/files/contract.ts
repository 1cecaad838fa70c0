import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../contract.ts'
import type { FileRow, FilesTable, PageOf, UploadPartRow, UploadRow } from './port.ts'

const now = 1_790_000_000_123

function makeFile(id: string, more: Partial<FileRow> = {}): FileRow {
  return {
    id,
    owner: '',
    filename: 'tasks.jsonl',
    purpose: 'batch',
    bytes: 10,
    status: 'processed',
    createdAt: now,
    ...more,
  }
}

function makeUpload(id: string, more: Partial<UploadRow> = {}): UploadRow {
  return {
    id,
    owner: '',
    filename: 'tasks.jsonl',
    purpose: 'batch',
    bytes: 10,
    mimeType: 'application/jsonl',
    status: 'pending',
    createdAt: now,
    expiresAt: now + 1000,
    ...more,
  }
}

function makePart(id: string, uploadId: string, bytes = 5): UploadPartRow {
  return { id, uploadId, bytes, createdAt: now }
}

/** What every adapter does with files and uploads. `open` makes an empty store. */
export function describeFilesContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, files: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: FilesTable

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.files
    })
    afterEach(() => fixture.remove())

    const listIds = async (page: Partial<PageOf> = {}, filter: { owner?: string; purpose?: string } = {}) =>
      (await table.list({ now, ...filter }, { limit: 100, order: 'asc', ...page })).map(({ id }) => id)

    test('begins empty', async () => {
      expect(await table.get('a')).toBeUndefined()
      expect(await listIds()).toEqual([])
      expect(await table.update('a', { status: 'error' })).toBe(false)
      expect(await table.delete('a')).toBe(false)
      expect(await table.sum('', ['batch'])).toEqual({ lasting: 0, expiring: 0, bytes: 0 })
      expect(await table.listRemovable(now, 10)).toEqual([])
      expect(await table.getUpload('u')).toBeUndefined()
      expect(await table.endUpload('u', 'cancelled')).toBe(false)
      expect(await table.completeUpload('u', makeFile('a'))).toBe(false)
      expect(await table.get('a')).toBeUndefined()
      expect(await table.listExpiredUploads(now, 10)).toEqual([])
      expect(await table.sumUploads('', now)).toEqual({ uploads: 0, bytes: 0 })
      expect(await table.addPart(makePart('p', 'u'))).toBe(false)
      expect(await table.listParts('u')).toEqual([])
      expect(await table.sumParts('u')).toEqual({ parts: 0, bytes: 0 })
      await table.deleteUpload('u')
    })

    test('a file and an upload come back as they were, names of any script and sizes beyond 32 bits included', async () => {
      const text = `Größe 東京 🙂 "'\\ .jsonl`
      const full = makeFile('a', {
        owner: text,
        filename: text,
        bytes: 2 ** 40,
        status: 'error',
        statusDetails: text,
        expiresAt: now + 5,
      })
      const upload = makeUpload('u', {
        owner: text,
        filename: text,
        bytes: 2 ** 40,
        mimeType: text,
        status: 'completed',
        fileId: 'a',
        fileLastsMs: 2 ** 40,
      })
      for (const row of [full, makeFile('b')]) {
        await table.add(row)
        expect(await table.get(row.id)).toEqual(row)
      }
      for (const row of [upload, makeUpload('v')]) {
        await table.addUpload(row)
        expect(await table.getUpload(row.id)).toEqual(row)
      }
    })

    test('adding in place of a file that is there replaces it', async () => {
      await table.add(makeFile('a', { bytes: 1, expiresAt: now + 5, statusDetails: 'x' }))
      await table.add(makeFile('a', { bytes: 2 }))
      expect(await table.get('a')).toEqual(makeFile('a', { bytes: 2 }))
    })

    test('what is given is changed, and nothing else', async () => {
      await table.add(makeFile('a', { expiresAt: now + 5 }))
      await table.add(makeFile('b'))
      expect(await table.update('a', { status: 'error', statusDetails: 'why' })).toBe(true)
      expect(await table.update('a', { bytes: 11 })).toBe(true)
      expect(await table.update('a', {})).toBe(true)
      expect(await table.get('a')).toEqual(
        makeFile('a', { status: 'error', statusDetails: 'why', bytes: 11, expiresAt: now + 5 }),
      )
      expect(await table.get('b')).toEqual(makeFile('b'))
    })

    test('a list holds those of its owner and purpose that are alive', async () => {
      await table.add(makeFile('a'))
      await table.add(makeFile('b', { purpose: 'assistants' }))
      await table.add(makeFile('c', { owner: 'team' }))
      await table.add(makeFile('d', { expiresAt: now }))
      await table.add(makeFile('e', { expiresAt: now + 1 }))
      await table.add(makeFile('f', { status: 'deleting' }))
      expect(await listIds()).toEqual(['a', 'b', 'c', 'e'])
      expect(await listIds({}, { owner: '' })).toEqual(['a', 'b', 'e'])
      expect(await listIds({}, { owner: 'team' })).toEqual(['c'])
      expect(await listIds({}, { owner: '', purpose: 'assistants' })).toEqual(['b'])
      expect(await listIds({}, { purpose: 'evals' })).toEqual([])
    })

    test('pages follow each other in the order of ids, both ways, also after one that is gone', async () => {
      const ids = ['f1', 'f2', 'f3', 'f4', 'f5']
      for (const id of ids.toReversed()) await table.add(makeFile(id))
      for (const order of ['asc', 'desc'] as const) {
        const seen: string[] = []
        for (;;) {
          const page = await listIds({ limit: 2, order, ...(seen.length > 0 && { after: seen.at(-1) }) })
          seen.push(...page.slice(0, 2))
          if (page.length <= 2) break
        }
        expect(seen).toEqual(order === 'asc' ? ids : ids.toReversed())
      }
      await table.delete('f3')
      expect(await listIds({ after: 'f3' })).toEqual(['f4', 'f5'])
      expect(await listIds({ after: 'f3', order: 'desc' })).toEqual(['f2', 'f1'])
    })

    test('the sum is of an owner and of some purposes', async () => {
      await table.add(makeFile('a', { bytes: 2 ** 33 }))
      await table.add(makeFile('b', { bytes: 1, expiresAt: now }))
      await table.add(makeFile('c', { bytes: 1, expiresAt: now + 5, purpose: 'evals' }))
      await table.add(makeFile('d', { purpose: 'batch_output' }))
      await table.add(makeFile('e', { owner: 'team' }))
      expect(await table.sum('', ['batch', 'evals'])).toEqual({ lasting: 1, expiring: 2, bytes: 2 ** 33 + 2 })
      expect(await table.sum('team', ['batch'])).toEqual({ lasting: 1, expiring: 0, bytes: 10 })
    })

    test('what has expired and what is being deleted is to be removed, page by page', async () => {
      await table.add(makeFile('a', { expiresAt: now }))
      await table.add(makeFile('b'))
      await table.add(makeFile('c', { status: 'deleting' }))
      await table.add(makeFile('d', { expiresAt: now + 1 }))
      await table.add(makeFile('e', { expiresAt: now - 1, owner: 'team' }))
      const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id)
      expect(ids(await table.listRemovable(now, 2))).toEqual(['a', 'c'])
      expect(ids(await table.listRemovable(now, 2, 'c'))).toEqual(['e'])
    })

    test('an upload ends once: of those who race, one wins, and a file comes with it or not at all', async () => {
      for (const id of ['u', 'v']) await table.addUpload(makeUpload(id))
      const files = Array.from({ length: 10 }, (_, i) => makeFile(`f${i}`))
      const races = files.map((file, i) =>
        i % 2 ? table.completeUpload('u', file) : table.endUpload('u', i % 4 ? 'cancelled' : 'expired'),
      )
      expect((await Promise.all(races)).filter((hasWon) => hasWon)).toHaveLength(1)
      const ended = await table.getUpload('u')
      expect(await listIds()).toEqual(ended?.status === 'completed' ? [ended.fileId as string] : [])
      expect(await table.completeUpload('v', makeFile('of-v'))).toBe(true)
      expect(await table.getUpload('v')).toEqual(makeUpload('v', { status: 'completed', fileId: 'of-v' }))
      expect(await table.get('of-v')).toEqual(makeFile('of-v'))
      expect(await table.endUpload('v', 'cancelled')).toBe(false)
    })

    test('pending uploads of an owner are summed', async () => {
      await table.addUpload(makeUpload('u', { bytes: 2 ** 33 }))
      await table.addUpload(makeUpload('v', { expiresAt: now }))
      await table.addUpload(makeUpload('w', { status: 'cancelled' }))
      await table.addUpload(makeUpload('x', { owner: 'team' }))
      await table.addUpload(makeUpload('y', { bytes: 1 }))
      expect(await table.sumUploads('', now)).toEqual({ uploads: 2, bytes: 2 ** 33 + 1 })
    })

    test('files of all owners are added up, but for those on their way out', async () => {
      expect(await table.sumAll()).toEqual({ files: 0, bytes: 0 })
      await table.add(makeFile('a', { bytes: 2 ** 40 }))
      await table.add(makeFile('b', { bytes: 5, owner: 'other' }))
      await table.add(makeFile('c', { bytes: 7, status: 'deleting' }))
      expect(await table.sumAll()).toEqual({ files: 2, bytes: 2 ** 40 + 5 })
    })

    test('parts are taken while the upload is pending, listed in their order, and go with it', async () => {
      await table.addUpload(makeUpload('u'))
      await table.addUpload(makeUpload('v'))
      expect(await table.addPart(makePart('p2', 'u', 2 ** 33))).toBe(true)
      expect(await table.addPart(makePart('p1', 'u'))).toBe(true)
      expect(await table.addPart(makePart('p1', 'v'))).toBe(true)
      await table.endUpload('u', 'cancelled')
      expect(await table.addPart(makePart('p3', 'u'))).toBe(false)
      expect(await table.listParts('u')).toEqual([makePart('p1', 'u'), makePart('p2', 'u', 2 ** 33)])
      expect(await table.sumParts('u')).toEqual({ parts: 2, bytes: 2 ** 33 + 5 })
      await table.deleteUpload('u')
      expect(await table.getUpload('u')).toBeUndefined()
      expect(await table.listParts('u')).toEqual([])
      expect(await table.listParts('v')).toEqual([makePart('p1', 'v')])
    })

    test('uploads past their time are listed whatever became of them', async () => {
      await table.addUpload(makeUpload('a', { expiresAt: now }))
      await table.addUpload(makeUpload('b', { expiresAt: now - 1, status: 'completed', fileId: 'f' }))
      await table.addUpload(makeUpload('c', { expiresAt: now + 1 }))
      const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id)
      expect(ids(await table.listExpiredUploads(now, 10))).toEqual(['a', 'b'])
      expect(ids(await table.listExpiredUploads(now, 1))).toEqual(['a'])
      expect(ids(await table.listExpiredUploads(now, 1, 'a'))).toEqual(['b'])
    })

    test('ids and owners are data, not SQL', async () => {
      const odd = "x'); drop table file; --"
      await table.add(makeFile(odd, { owner: odd, purpose: odd }))
      expect((await table.get(odd))?.owner).toBe(odd)
      expect(await listIds({}, { owner: odd, purpose: odd })).toEqual([odd])
      expect(await listIds({}, { owner: "' or '1'='1" })).toEqual([])
    })

    test('everything is there after reopening', async () => {
      await table.add(makeFile('a'))
      await table.addUpload(makeUpload('u'))
      await table.addPart(makePart('p', 'u'))
      table = (await fixture.reopen()).files
      expect(await table.get('a')).toEqual(makeFile('a'))
      expect(await table.getUpload('u')).toEqual(makeUpload('u'))
      expect(await table.listParts('u')).toEqual([makePart('p', 'u')])
    })
  })
}
