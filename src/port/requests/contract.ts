import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { timeId } from '../../core/text/id.ts'
import { gatherLines } from './lines.ts'
import type { RequestContent, RequestDocument, RequestQuery, RequestStore } from './port.ts'

/** A store under test. `reopen` closes it and opens the same data again. */
export type RequestsFixture = { readonly store: RequestStore; reopen(): Promise<RequestStore>; remove(): Promise<void> }

const start = Date.UTC(2026, 10, 24, 12)

/** A request that ended `seconds` after the start of the test's day. */
export function makeDocument(seconds: number, more: Partial<RequestDocument> = {}): RequestDocument {
  const at = start + seconds * 1000
  return {
    id: timeId(at - 50),
    time: new Date(at - 50).toISOString(),
    at,
    outcome: 'done',
    status: 200,
    caller: 'key1',
    method: 'POST',
    path: '/openai/v1/chat/completions',
    operation: 'chat',
    deployment: 'gpt',
    asked: 'gpt',
    model: 'gpt-4o',
    timings: { totalMs: 50 },
    requestBytes: 100,
    responseBytes: 200,
    ...more,
  }
}

const all: RequestQuery = { fromMs: 0, toMs: 1e15, top: 100 }
const lines = (documents: readonly RequestDocument[]) => [gatherLines(documents.map((one) => JSON.stringify(one)))]

/** What every adapter does. `open` makes an empty store. */
export function describeRequestsContract(adapter: string, open: () => Promise<RequestsFixture>): void {
  describe(`requests port: ${adapter}`, () => {
    let fixture: RequestsFixture
    let store: RequestStore

    beforeEach(async () => {
      fixture = await open()
      store = fixture.store
    })
    afterEach(() => fixture.remove())

    const secondsOf = (documents: readonly RequestDocument[]) => documents.map(({ at }) => (at - start) / 1000)
    const search = async (query: Partial<RequestQuery>) =>
      secondsOf((await store.search({ ...all, ...query })).documents)

    test('begins empty', async () => {
      expect(await store.search(all)).toEqual({ documents: [] })
      expect(await store.find(timeId(start))).toBeUndefined()
      expect(await store.findContent('x')).toBeUndefined()
      expect(await store.totals()).toEqual({ count: 0, bytes: 0, oldestAt: undefined })
      expect(await store.sweep({ before: start, maxBytes: 1, now: start })).toBe(false)
    })

    test('gives back what was kept, newest first, and by its id', async () => {
      const documents = [1, 2, 3].map((seconds) => makeDocument(seconds, { message: 'a line\nand "another" \u00e9' }))
      await store.append(lines(documents.slice(0, 2)), [])
      await store.append(lines(documents.slice(2)), [])
      expect((await store.search(all)).documents).toEqual(documents.toReversed())
      for (const document of documents) expect(await store.find(document.id)).toEqual(document)
      expect(await store.find('0198c0de-0000-7000-8000-000000000000')).toBeUndefined()
      expect(await store.find("' or 1=1 --")).toBeUndefined()
    })

    test('is there after reopening', async () => {
      const document = makeDocument(1)
      await store.append(lines([document]), [])
      store = await fixture.reopen()
      expect(await store.find(document.id)).toEqual(document)
    })

    test('finds by each field, and by several', async () => {
      await store.append(
        lines([
          makeDocument(1),
          makeDocument(2, { deployment: 'Small', caller: 'CI', status: 429, code: 'rate-limited', isLimited: true }),
          makeDocument(3, { deployment: 'other', asked: 'gpt', spilledFrom: 'gpt', model: 'm2' }),
          makeDocument(4, { operation: 'embed', timings: { totalMs: 9_000.5 } }),
          makeDocument(5, { status: 400, code: 'content-filtered', isFiltered: true }),
          makeDocument(6, { status: 503, code: 'upstream-unavailable', traceId: 'ABCDEF' }),
        ]),
        [],
      )
      expect(await search({ deployment: 'SMALL' })).toEqual([2])
      expect(await search({ deployment: 'gpt' })).toEqual([6, 5, 4, 3, 2, 1])
      expect(await search({ deployment: 'other' })).toEqual([3])
      expect(await search({ caller: 'ci' })).toEqual([2])
      expect(await search({ model: 'M2' })).toEqual([3])
      expect(await search({ operation: 'embed' })).toEqual([4])
      expect(await search({ code: 'rate-limited' })).toEqual([2])
      expect(await search({ status: [400, 500] })).toEqual([5, 2])
      expect(await search({ status: [503, 504] })).toEqual([6])
      expect(await search({ minMs: 9_000 })).toEqual([4])
      expect(await search({ isFiltered: true })).toEqual([5])
      expect(await search({ isLimited: true })).toEqual([2])
      expect(await search({ isLimited: false, status: [400, 600] })).toEqual([6, 5])
      expect(await search({ text: 'abcdef' })).toEqual([6])
      expect(await search({ text: '%' })).toEqual([])
      expect(await search({ caller: 'ci', status: [200, 300] })).toEqual([])
      expect(await search({ fromMs: start + 2_000, toMs: start + 4_000 })).toEqual([3, 2])
      expect(await search({ deployment: 'none' })).toEqual([])
    })

    test('pages come after each other without a gap, while more is written', async () => {
      const seconds = Array.from({ length: 3_000 }, (_, i) => i)
      for (let at = 0; at < 3_000; at += 60) {
        await store.append(lines(seconds.slice(at, at + 60).map((second) => makeDocument(second))), [])
      }
      const seen: number[] = []
      let after: number | undefined
      for (let page = 0; page < 50; page++) {
        const found = await store.search({ ...all, top: 700, ...(after !== undefined && { after }) })
        seen.push(...secondsOf(found.documents))
        await store.append(lines([makeDocument(4_000 + page)]), [])
        after = found.after
        if (after === undefined) break
      }
      expect(seen).toEqual(seconds.toReversed())
    })

    test('blocks that overlap, as those of several servers do, are read in the order of time', async () => {
      for (let at = 0; at < 40; at += 10) {
        const seconds = Array.from({ length: 10 }, (_, i) => at + i)
        for (const part of [0, 1, 2]) {
          const own = seconds.filter((second) => second % 3 === part)
          await store.append(lines(own.map((second) => makeDocument(second))), [])
        }
      }
      const seen: number[] = []
      let after: number | undefined
      do {
        const page = await store.search({ ...all, top: 7, after })
        seen.push(...secondsOf(page.documents))
        after = page.after
      } while (after !== undefined)
      expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => 39 - i))
    })

    test('many small writes are packed together, and nothing is lost by it', async () => {
      const documents = Array.from({ length: 600 }, (_, i) => makeDocument(i))
      for (const document of documents) await store.append(lines([document]), [])
      expect(await store.totals()).toMatchObject({ count: 600, oldestAt: start })
      expect((await store.search({ ...all, top: 1_000 })).documents).toEqual(documents.toReversed())
      const single = (await store.totals()).bytes
      expect(single).toBeLessThan(600 * 200)
      expect(await store.find((documents[17] as RequestDocument).id)).toEqual(documents[17] as RequestDocument)
    })

    test('one that took long is found among others, by its end and by its id', async () => {
      const long = makeDocument(500, { id: timeId(start), timings: { totalMs: 500_000 } })
      for (let i = 0; i < 40; i++) await store.append(lines([makeDocument(i)]), [])
      await store.append(lines([long]), [])
      expect(await store.find(long.id)).toEqual(long)
      expect(await search({ minMs: 400_000 })).toEqual([500])
    })

    test('what is old goes, and then what is too much, the oldest first', async () => {
      for (const seconds of [1, 2, 3, 4]) await store.append(lines([makeDocument(seconds)]), [])
      await store.sweep({ before: start + 2_000, maxBytes: 1e9, now: start })
      expect(await search({})).toEqual([4, 3, 2])
      const { bytes } = await store.totals()
      await store.sweep({ before: 0, maxBytes: bytes - 1, now: start })
      expect(await search({})).toEqual([4, 3])
      await store.sweep({ before: 0, maxBytes: 0, now: start })
      expect(await store.totals()).toEqual({ count: 0, bytes: 0, oldestAt: undefined })
    })

    test('content is kept beside and goes by its own time', async () => {
      const document = makeDocument(1, { isCaptured: true })
      const content: RequestContent = {
        id: document.id,
        prompt: '{"a":1}',
        answer: 'x'.repeat(100_000),
        expiresAt: 2_000,
      }
      await store.append(lines([document]), [content])
      await store.append([], [{ id: 'other', prompt: 'y', expiresAt: 3_000 }])
      expect(await store.findContent(document.id)).toEqual(content)
      await store.sweep({ before: 0, maxBytes: 1e9, now: 1_999 })
      expect(await store.findContent(document.id)).toEqual(content)
      await store.sweep({ before: 0, maxBytes: 1e9, now: 2_000 })
      expect(await store.findContent(document.id)).toBeUndefined()
      expect(await store.findContent('other')).toBeDefined()
      expect(await store.find(document.id)).toEqual(document)
    })

    test('a line that is no document is refused, and nothing of its batch is kept', async () => {
      const appended = store.append([...lines([makeDocument(1)]), gatherLines(['{'])], [])
      expect(
        await appended.then(
          () => 'kept',
          () => 'refused',
        ),
      ).toBe('refused')
      expect(await search({})).toEqual([])
    })
  })
}
