import { expect, test } from 'bun:test'
import { collect, hashContent, inChunks, makeBytes } from '../content.fixture.ts'
import type { Blobs } from '../port.ts'
import { type Accident, type FlakyProxy, startFlakyProxy } from './flaky-proxy.fixture.ts'

export type BadWay = {
  readonly serverUrl: () => string
  /** An empty store behind that address; `name` is of its bucket. */
  readonly open: (url: string, name: string) => Promise<Blobs>
}

const mebibyte = 1024 * 1024
const accidents: readonly Accident[] = ['refuse', 'cut', 'lose-answer']

/** What an adapter over a network must bear: every request fails in every way, once and for good. */
export function testAccidents({ serverUrl, open }: BadWay): void {
  test.each(accidents)(
    'every request that fails once (%s) is sent again',
    async (accident) => {
      const failed = new Set<string>()
      // Every other request of a kind, so that what is sent again gets through.
      const proxy = await startFlakyProxy(serverUrl(), ({ method, url }) => {
        const kind = `${method} ${url.replace(/(sig|x-ms-date|se)=[^&]*/g, '')}`
        if (failed.delete(kind)) return 'pass'
        failed.add(kind)
        return accident
      })
      try {
        const blobs = await open(proxy.url, `bad-way-${accident}`)
        const large = makeBytes(18 * mebibyte)
        expect(await blobs.write('files/small', inChunks(makeBytes(1_000)))).toEqual({ bytes: 1_000 })
        expect(await blobs.write('files/large', inChunks(large))).toEqual({ bytes: 18 * mebibyte })
        expect(await hashContent(blobs.read('files/large'))).toBe(await hashContent(inChunks(large)))
        expect(await blobs.join('files/all', ['files/large', 'files/small'])).toEqual({ bytes: 18 * mebibyte + 1_000 })
        expect(await blobs.size('files/all')).toBe(18 * mebibyte + 1_000)
        const keys = (await Array.fromAsync(blobs.list('files/'))).map(({ key }) => key)
        expect(keys.sort()).toEqual(['files/all', 'files/large', 'files/small'])
        await blobs.delete('files/all')
        expect(await blobs.size('files/all')).toBeUndefined()
        await blobs.close()
      } finally {
        await proxy.stop()
      }
    },
    60_000,
  )

  test('a store that stays away is told, and what was there is whole when it is back', async () => {
    let isAway = (_: FlakyProxy['seen'][number], _number: number): boolean => false
    const proxy = await startFlakyProxy(serverUrl(), (request, number) => (isAway(request, number) ? 'cut' : 'pass'))
    try {
      const blobs = await open(proxy.url, 'stays-away')
      await blobs.write('files/a', inChunks(makeBytes(1_000)))
      // From the second part of the content on.
      isAway = ({ method }, number) => method === 'PUT' && number > from
      const from = proxy.seen.length + 1
      const told = { code: 'storage-unavailable', status: 503 }
      await expect(blobs.write('files/a', inChunks(makeBytes(20 * mebibyte)))).rejects.toMatchObject(told)
      isAway = () => true
      await expect(blobs.write('files/a', inChunks(makeBytes(10)))).rejects.toMatchObject(told)
      await expect(collect(blobs.read('files/a'))).rejects.toMatchObject(told)
      await expect(blobs.size('files/a')).rejects.toMatchObject(told)
      await expect(blobs.delete('files/a')).rejects.toMatchObject(told)
      await expect(blobs.join('files/b', ['files/a'])).rejects.toMatchObject(told)
      await expect(Array.fromAsync(blobs.list(''))).rejects.toMatchObject(told)
      isAway = () => false
      expect(await collect(blobs.read('files/a'))).toEqual(makeBytes(1_000))
      expect((await Array.fromAsync(blobs.list(''))).map(({ key }) => key)).toEqual(['files/a'])
      await blobs.close()
    } finally {
      await proxy.stop()
    }
  }, 60_000)

  test('a blob that is replaced while it is read is never read as a mixture', async () => {
    const blobs = await open(serverUrl(), 'mixture')
    await blobs.write('files/a', inChunks(makeBytes(5 * mebibyte, 1)))
    const reader = blobs.read('files/a')[Symbol.asyncIterator]()
    await reader.next()
    await blobs.write('files/a', inChunks(makeBytes(5 * mebibyte, 2)))
    const rest = (async () => {
      while (!(await reader.next()).done);
    })()
    await expect(rest).rejects.toMatchObject({ code: 'storage-unavailable' })
    await blobs.close()
  })
}
