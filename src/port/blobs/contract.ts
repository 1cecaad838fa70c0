import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { collect, hashContent, hashRepeated, inChunks, makeBytes, repeatBlock } from './content.fixture.ts'
import type { Blobs } from './port.ts'

/** A store under test. `reopen` is another user of the same blobs, as after a start. */
export type BlobsFixture = { readonly blobs: Blobs; reopen(): Promise<Blobs>; remove(): Promise<void> }

const mebibyte = 1024 * 1024
const text = (content: string): AsyncIterable<Uint8Array> => inChunks(new TextEncoder().encode(content))

/** What every adapter of the Blobs port must do. `open` makes an empty store. */
export function describeBlobsContract(adapter: string, open: () => Promise<BlobsFixture>): void {
  describe(`blobs port: ${adapter}`, () => {
    let fixture: BlobsFixture
    let blobs: Blobs

    beforeAll(async () => {
      fixture = await open()
      blobs = fixture.blobs
    })
    beforeEach(async () => {
      for (const { key } of await listAll('')) await blobs.delete(key)
    })
    afterAll(() => fixture?.remove())

    const listAll = async (prefix: string) =>
      (await Array.fromAsync(blobs.list(prefix))).sort((a, b) => (a.key < b.key ? -1 : 1))
    const keysOf = async (prefix: string) => (await listAll(prefix)).map(({ key }) => key)
    const readText = async (key: string, range?: { start: number; end?: number }) =>
      new TextDecoder().decode(await collect(blobs.read(key, range)))
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error) => error.code,
      )

    test('begins empty', async () => {
      expect(await listAll('')).toEqual([])
      expect(await blobs.size('files/a')).toBeUndefined()
      expect(await blobs.delete('files/a')).toBe(false)
      expect(await codeOf(collect(blobs.read('files/a')))).toBe('not-found')
      expect(await codeOf(collect(blobs.read('files/a', { start: 0, end: 0 })))).toBe('not-found')
    })

    test('keeps what is written, also for those who open it later', async () => {
      const before = Date.now()
      expect(await blobs.write('files/a', text('hello'))).toEqual({ bytes: 5 })
      const reopened = await fixture.reopen()
      expect(await reopened.size('files/a')).toBe(5)
      expect(await collect(reopened.read('files/a'))).toEqual(await collect(text('hello')))
      const [stored, ...others] = await Array.fromAsync(reopened.list('files/'))
      expect(stored).toMatchObject({ key: 'files/a', bytes: 5 })
      // The clock of a store has seconds, and is not ours.
      expect(Math.abs((stored?.changedAt ?? 0) - before)).toBeLessThan(60_000)
      expect(others).toEqual([])
      await reopened.close()
    })

    test('replaces what was there', async () => {
      await blobs.write('files/a', text('a long text'))
      await blobs.write('files/a', text('short'))
      expect(await readText('files/a')).toBe('short')
      expect(await blobs.size('files/a')).toBe(5)
    })

    test('keeps blobs of no bytes', async () => {
      expect(await blobs.write('files/none', text(''))).toEqual({ bytes: 0 })
      expect(await blobs.size('files/none')).toBe(0)
      expect(await readText('files/none')).toBe('')
      expect(await readText('files/none', { start: 0, end: 10 })).toBe('')
      expect(await listAll('files/')).toMatchObject([{ key: 'files/none', bytes: 0 }])
      await blobs.write('files/none', text('some'))
      await blobs.write('files/none', text(''))
      expect(await blobs.size('files/none')).toBe(0)
    })

    test.each([
      [{ start: 0 }, '0123456789'],
      [{ start: 3 }, '3456789'],
      [{ start: 3, end: 4 }, '3'],
      [{ start: 0, end: 10 }, '0123456789'],
      [{ start: 8, end: 1000 }, '89'],
      [{ start: 5, end: 5 }, ''],
      [{ start: 7, end: 2 }, ''],
      [{ start: 10 }, ''],
      [{ start: 4000, end: 5000 }, ''],
    ])('reads the range %j', async (range, expected) => {
      await blobs.write('files/a', text('0123456789'))
      expect(await readText('files/a', range)).toBe(expected)
    })

    test('reads ranges across the pieces of a larger blob', async () => {
      const bytes = makeBytes(9 * mebibyte + 17)
      await blobs.write('files/a', inChunks(bytes, 100_003))
      for (const [start, end] of [
        [0, 1],
        [256 * 1024 - 1, 256 * 1024 + 1],
        [4 * mebibyte - 5, 4 * mebibyte + 5],
        [8 * mebibyte - 1, undefined],
        [1000, 9 * mebibyte],
      ] as const) {
        const got = await collect(blobs.read('files/a', { start, end }))
        expect(Buffer.compare(got, bytes.subarray(start, end))).toBe(0)
        const copies: Uint8Array[] = []
        for await (const piece of blobs.read('files/a', { start, end }, { isReused: true }))
          copies.push(Uint8Array.from(piece))
        expect(Buffer.compare(Buffer.concat(copies), got)).toBe(0)
      }
    })

    test.each([{ start: -1 }, { start: 0.5 }, { start: Number.NaN }, { start: 0, end: -1 }])(
      'refuses the range %j',
      async (range) => {
        await blobs.write('files/a', text('x'))
        await expect(collect(blobs.read('files/a', range))).rejects.toThrow(RangeError)
      },
    )

    test('deletes, once', async () => {
      await blobs.write('files/a', text('a'))
      await blobs.write('files/b', text('b'))
      expect(await blobs.delete('files/a')).toBe(true)
      expect(await blobs.delete('files/a')).toBe(false)
      expect(await blobs.size('files/a')).toBeUndefined()
      expect(await keysOf('')).toEqual(['files/b'])
    })

    test('a key may go on where another one ends', async () => {
      await blobs.write('uploads/u', text('above'))
      await blobs.write('uploads/u/p1', text('below'))
      expect(await readText('uploads/u')).toBe('above')
      expect(await readText('uploads/u/p1')).toBe('below')
      await blobs.delete('uploads/u')
      expect(await readText('uploads/u/p1')).toBe('below')
    })

    test('keys differ by case', async () => {
      await blobs.write('files/file-Ab', text('upper'))
      await blobs.write('files/file-ab', text('lower'))
      expect(await readText('files/file-Ab')).toBe('upper')
      expect(await keysOf('')).toEqual(['files/file-Ab', 'files/file-ab'])
    })

    test('lists what begins so', async () => {
      for (const key of ['files/file-a', 'files/file-ab', 'files/x', 'filesystem', 'uploads/u/1', 'uploads/u/2']) {
        await blobs.write(key, text(key))
      }
      expect(await keysOf('files/')).toEqual(['files/file-a', 'files/file-ab', 'files/x'])
      expect(await keysOf('files/file-a')).toEqual(['files/file-a', 'files/file-ab'])
      expect(await keysOf('files')).toEqual(['files/file-a', 'files/file-ab', 'files/x', 'filesystem'])
      expect(await keysOf('uploads/u')).toEqual(['uploads/u/1', 'uploads/u/2'])
      expect(await keysOf('nothing/')).toEqual([])
    })

    test('lists 1,000 blobs and more, and those listed may be deleted meanwhile', async () => {
      const keys = Array.from({ length: 1_050 }, (_, i) => `many/file-${`${i}`.padStart(5, '0')}`)
      for (let at = 0; at < keys.length; at += 16) {
        await Promise.all(keys.slice(at, at + 16).map((key) => blobs.write(key, text(key))))
      }
      expect(await keysOf('many/')).toEqual(keys)
      for await (const { key } of blobs.list('many/')) await blobs.delete(key)
      expect(await keysOf('many/')).toEqual([])
    }, 120_000)

    test('joins parts in their order and leaves them', async () => {
      for (const part of ['one ', 'two ', 'three']) await blobs.write(`uploads/u/${part.trim()}`, text(part))
      await blobs.write('files/joined', text('before'))
      expect(await blobs.join('files/joined', ['uploads/u/one', 'uploads/u/two', 'uploads/u/three'])).toEqual({
        bytes: 13,
      })
      expect(await readText('files/joined')).toBe('one two three')
      expect(await blobs.join('files/twice', ['uploads/u/two', 'uploads/u/two'])).toEqual({ bytes: 8 })
      expect(await readText('files/twice')).toBe('two two ')
      expect(await keysOf('uploads/')).toEqual(['uploads/u/one', 'uploads/u/three', 'uploads/u/two'])
    })

    test('joins nothing to a blob of no bytes', async () => {
      expect(await blobs.join('files/joined', [])).toEqual({ bytes: 0 })
      expect(await blobs.size('files/joined')).toBe(0)
    })

    test('joins a blob with itself', async () => {
      await blobs.write('files/a', text('ab'))
      await blobs.join('files/a', ['files/a', 'files/a'])
      expect(await readText('files/a')).toBe('abab')
    })

    test('joins large and small parts', async () => {
      const sizes = [6 * mebibyte, 0, 10, 5 * mebibyte, 5 * mebibyte - 1, 3, 12 * mebibyte + 1, 7]
      const parts = sizes.map((bytes, i) => makeBytes(bytes, i + 2))
      for (const [i, part] of parts.entries()) await blobs.write(`uploads/u/${i}`, inChunks(part))
      const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
      const keys = parts.map((_, i) => `uploads/u/${i}`)
      expect(await blobs.join('files/joined', keys)).toEqual({ bytes: total })
      expect(await blobs.size('files/joined')).toBe(total)
      expect(await hashContent(blobs.read('files/joined'))).toBe(await hashContent(inChunks(Buffer.concat(parts))))
    }, 60_000)

    test('a join with a part that is not there leaves what was there', async () => {
      await blobs.write('files/joined', text('before'))
      await blobs.write('uploads/u/1', inChunks(makeBytes(6 * mebibyte)))
      expect(await codeOf(blobs.join('files/joined', ['uploads/u/1', 'uploads/u/2']))).toBe('not-found')
      expect(await readText('files/joined')).toBe('before')
    })

    test.each([
      ['at once', 0],
      ['after a little', 1_000],
      ['after much', 20 * mebibyte],
    ])('a write that breaks off %s leaves what was there, and throws what broke it', async (_, bytes) => {
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield* inChunks(makeBytes(bytes))
        throw new Error('the caller has gone')
      }
      await expect(blobs.write('files/new', broken())).rejects.toThrow('the caller has gone')
      await blobs.write('files/a', text('before'))
      await expect(blobs.write('files/a', broken())).rejects.toThrow('the caller has gone')
      expect(await keysOf('')).toEqual(['files/a'])
      expect(await readText('files/a')).toBe('before')
    })

    test('of writers at the same time one wins, whole', async () => {
      const contents = [1, 2, 3, 4].map((seed) => makeBytes(9 * mebibyte, seed))
      const ended = await Promise.allSettled(contents.map((bytes) => blobs.write('files/a', inChunks(bytes))))
      const won = contents.filter((_, i) => ended[i]?.status === 'fulfilled')
      const hashes = await Promise.all(won.map((bytes) => hashContent(inChunks(bytes))))
      // A store may turn the slower ones away, but tells them so.
      for (const one of ended) if (one.status === 'rejected') expect(one.reason.code).toBe('storage-unavailable')
      expect(hashes).toContain(await hashContent(blobs.read('files/a')))
    }, 60_000)

    test('a writer may keep and reuse the memory of its chunks', async () => {
      await blobs.write('files/a', repeatBlock(makeBytes(1_000), 5_000))
      expect(await hashContent(blobs.read('files/a'))).toBe(hashRepeated(makeBytes(1_000), 5_000))
    })

    test('64 MiB go in and out in little memory', async () => {
      const block = makeBytes(64 * 1024)
      const times = 1_024
      const watch = (sample: () => void) =>
        async function* (content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
          for await (const piece of content) {
            sample()
            yield piece
          }
        }
      const writing = await measureGrowth(async (sample) => {
        const content = watch(sample)(repeatBlock(block, times))
        expect(await blobs.write('files/a', content)).toEqual({ bytes: 64 * mebibyte })
      })
      const reading = await measureGrowth(async (sample) => {
        expect(await hashContent(watch(sample)(blobs.read('files/a')))).toBe(hashRepeated(block, times))
      })
      expect(Math.max(writing, reading)).toBeLessThan(56 * mebibyte)
    }, 120_000)

    test('a reader that stops holds nothing', async () => {
      await blobs.write('files/a', inChunks(makeBytes(9 * mebibyte)))
      const before = countDescriptors()
      for (let i = 0; i < 100; i++) {
        for await (const piece of blobs.read('files/a', { start: 1 })) {
          expect(piece.byteLength).toBeGreaterThan(0)
          break
        }
      }
      expect(countDescriptors() - before).toBeLessThan(50)
      expect(await blobs.size('files/a')).toBe(9 * mebibyte)
    }, 60_000)

    test.each([
      '',
      '/',
      '/etc/passwd',
      '..',
      '../a',
      'files/../../a',
      'files/..',
      './a',
      'files//a',
      'files/',
      '/files/a',
      'files\\..\\a',
      'files/a b',
      'files/a%2fb',
      'files/ä',
      'files/a\0',
      'files/a\n',
      'files/a.b',
      `files/${'a'.repeat(201)}`,
      `${'aaaaaaaa/'.repeat(100)}a`,
    ])('refuses the key %j', async (key) => {
      expect(await codeOf(blobs.write(key, text('x')))).toBe('internal')
      expect(await codeOf(collect(blobs.read(key)))).toBe('internal')
      expect(await codeOf(blobs.size(key))).toBe('internal')
      expect(await codeOf(blobs.delete(key))).toBe('internal')
      expect(await codeOf(blobs.join(key, []))).toBe('internal')
      expect(await codeOf(blobs.join('files/joined', [key]))).toBe('internal')
      expect(await keysOf('')).toEqual([])
    })

    test.each(['/', '../', '.', 'files/../', 'a b', 'files//'])('refuses to list %j', async (prefix) => {
      expect(await codeOf((async () => Array.fromAsync(blobs.list(prefix)))())).toBe('internal')
    })
  })
}

/** The most by which the memory of the process grew while it worked, in bytes, without what only waits to be collected. */
async function measureGrowth(work: (sample: () => void) => Promise<void>): Promise<number> {
  Bun.gc(true)
  const before = process.memoryUsage.rss()
  let most = before
  let samples = 0
  await work(() => {
    if (++samples % 32 === 0) Bun.gc(true)
    most = Math.max(most, process.memoryUsage.rss())
  })
  return most - before
}

/** Files and connections that the process holds; 0 where the system does not tell. */
function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
