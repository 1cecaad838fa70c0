import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { azureAccount, startAzureBlobServer, withAzureBlobServer } from '../../../../test/support/azure-blob-server.ts'
import type { StoreServer } from '../../../../test/support/store-server.ts'
import { collect, inChunks, makeBytes } from '../content.fixture.ts'
import { describeBlobsContract } from '../contract.ts'
import { testAccidents } from '../remote/accidents.fixture.ts'
import { startFlakyProxy } from '../remote/flaky-proxy.fixture.ts'
import { readConnectionString } from './account.ts'
import { createAzureBlobs } from './create-azure-blobs.ts'
import { createAzureRequests } from './requests.ts'
import { apiVersion } from './sign.ts'

const mebibyte = 1024 * 1024

withAzureBlobServer('blobs port: azure', () => {
  let server: StoreServer
  beforeAll(async () => {
    server = await startAzureBlobServer()
  })
  afterAll(() => server?.stop())

  const accountAt = (url = server.url) => ({ ...azureAccount, endpoint: `${url}/${azureAccount.name}` })
  const makeContainer = async (container: string): Promise<void> => {
    const requests = createAzureRequests(accountAt(), container)
    const query = { restype: 'container' }
    const { url, headers } = requests.sign({ method: 'PUT', path: requests.pathOf(''), query })
    const { status } = await fetch(url, { method: 'PUT', headers })
    if (status !== 201) throw new Error(`the container was not made: ${status}`)
  }

  describeBlobsContract('azure', async () => {
    await makeContainer('contract')
    const open = () => createAzureBlobs({ account: accountAt(), container: 'contract' })
    const blobs = open()
    return { blobs, reopen: async () => open(), remove: () => blobs.close() }
  })

  describe('blobs in Azure', () => {
    testAccidents({
      serverUrl: () => server.url,
      async open(url, name) {
        await makeContainer(name)
        return createAzureBlobs({ account: accountAt(url), container: name, firstDelayMs: 1 })
      },
    })

    test('lie under a prefix and leave alone what lies beside', async () => {
      await makeContainer('shared')
      const whole = createAzureBlobs({ account: accountAt(), container: 'shared' })
      const blobs = createAzureBlobs({ account: accountAt(), container: 'shared', prefix: 'ponto/prod' })
      for (const key of ['files/a', 'ponto/production/a']) await whole.write(key, inChunks(makeBytes(5)))
      await blobs.write('files/a', inChunks(makeBytes(2 * mebibyte)))
      await blobs.join('files/b', ['files/a', 'files/a'])
      expect(await Array.fromAsync(blobs.list(''))).toMatchObject([
        { key: 'files/a', bytes: 2 * mebibyte },
        { key: 'files/b', bytes: 4 * mebibyte },
      ])
      expect(await whole.size('ponto/prod/files/a')).toBe(2 * mebibyte)
      expect(await whole.size('files/a')).toBe(5)
    })

    test.each([
      ['by the store', true],
      ['by us where the store cannot read itself', false],
    ])('are joined %s', async (_, canCopy) => {
      const container = canCopy ? 'copies' : 'no-copies'
      await makeContainer(container)
      const proxy = await startFlakyProxy(server.url, ({ headers }) =>
        canCopy || headers['x-ms-copy-source'] === undefined ? 'pass' : 'refuse',
      )
      const blobs = createAzureBlobs({ account: accountAt(proxy.url), container, prefix: 'p', firstDelayMs: 1 })
      const bytes = makeBytes(9 * mebibyte)
      await blobs.write('uploads/u/1', inChunks(bytes))
      const before = proxy.seen.length
      expect(await blobs.join('files/a', ['uploads/u/1', 'uploads/u/1'])).toEqual({ bytes: 18 * mebibyte })
      const during = proxy.seen.slice(before)
      const copied = during.filter(({ headers, status }) => headers['x-ms-copy-source'] && status === 201)
      expect(copied).toHaveLength(canCopy ? 4 : 0)
      expect(during.some(({ method }) => method === 'GET')).toBe(!canCopy)
      expect(await collect(blobs.read('files/a'))).toEqual(new Uint8Array(Buffer.concat([bytes, bytes])))
      await proxy.stop()
    })

    test('are copied with the signature that the key makes for it', async () => {
      await makeContainer('sources')
      const blobs = createAzureBlobs({ account: accountAt(), container: 'sources', prefix: 'p' })
      await blobs.write('files/a', inChunks(makeBytes(100)))
      const source = createAzureRequests(accountAt(), 'sources').sourceOf('p/files/a')
      expect(await collect((await fetch(source)).body as ReadableStream<Uint8Array>)).toEqual(makeBytes(100))
      expect((await fetch(source, { method: 'DELETE' })).status).toBe(403)
      expect((await fetch(source.replace('files/a', 'files/b'))).status).toBe(403)
    })

    test('are opened with a shared access signature', async () => {
      await makeContainer('with-sas')
      const text = `BlobEndpoint=${accountAt().endpoint};SharedAccessSignature=${makeAccountSas()}`
      const blobs = createAzureBlobs({ account: readConnectionString(text, 'the test'), container: 'with-sas' })
      await blobs.write('files/large', inChunks(makeBytes(9 * mebibyte)))
      await blobs.write('files/small', inChunks(makeBytes(9)))
      await blobs.join('files/all', ['files/large', 'files/small'])
      expect((await collect(blobs.read('files/all', { start: 9 * mebibyte }))).byteLength).toBe(9)
      expect(await Array.fromAsync(blobs.list('files/'))).toHaveLength(3)
      expect(await blobs.delete('files/all')).toBe(true)
    })

    test('are not opened with another key, and that is told without it', async () => {
      const account = { ...accountAt(), key: Buffer.from('another key').toString('base64') }
      const refused = createAzureBlobs({ account, container: 'contract' })
      const told = await refused.write('files/a', inChunks(makeBytes(10))).catch((error) => error)
      expect(told.code).toBe('storage-unavailable')
      expect(told.detail.cause.message).toBe('the store of blobs answered PUT with 403 AuthorizationFailure')
    })

    test('writers of one key at the same time: those turned away are told so, and do no harm', async () => {
      await makeContainer('two-writers')
      const blobs = createAzureBlobs({ account: accountAt(), container: 'two-writers' })
      const fast = makeBytes(9 * mebibyte, 1)
      const slow = async function* () {
        yield* inChunks(makeBytes(9 * mebibyte, 2))
        await blobs.write('files/a', inChunks(fast))
      }
      await expect(blobs.write('files/a', slow())).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(await collect(blobs.read('files/a'))).toEqual(fast)
    })
  })

  /** A signature for everything in the account, for an hour. */
  function makeAccountSas(): string {
    const expiry = `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`
    const fields = [azureAccount.name, 'rwdlac', 'b', 'sco', '', expiry, '', '', apiVersion, '', '']
    const signature = createHmac('sha256', Buffer.from(azureAccount.key, 'base64'))
      .update(fields.join('\n'))
      .digest('base64')
    return new URLSearchParams({
      sv: apiVersion,
      ss: 'b',
      srt: 'sco',
      sp: 'rwdlac',
      se: expiry,
      sig: signature,
    }).toString()
  }
})
