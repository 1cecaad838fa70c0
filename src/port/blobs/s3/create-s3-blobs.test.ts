import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startS3Server, withS3Server } from '../../../../test/support/s3-server.ts'
import type { StoreServer } from '../../../../test/support/store-server.ts'
import { collect, inChunks, makeBytes } from '../content.fixture.ts'
import { describeBlobsContract } from '../contract.ts'
import { testAccidents } from '../remote/accidents.fixture.ts'
import { type FlakyProxy, startFlakyProxy } from '../remote/flaky-proxy.fixture.ts'
import { elementsOf, textOf } from '../remote/xml.ts'
import { createS3Blobs, type S3Options } from './create-s3-blobs.ts'
import { createS3Requests } from './requests.ts'

const mebibyte = 1024 * 1024
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }
const region = 'us-east-1'

withS3Server('blobs port: s3', () => {
  let server: StoreServer
  beforeAll(async () => {
    server = await startS3Server()
  })
  afterAll(() => server?.stop())

  const makeBucket = async (bucket: string): Promise<void> => {
    const { status } = await fetch(`${server.url}/${bucket}`, { method: 'PUT' })
    if (status !== 200) throw new Error(`the bucket was not made: ${status}`)
  }
  const optionsOf = (bucket: string, url = server.url): S3Options => {
    // The stand-in says of every upload that it is very old.
    return { bucket, region, endpoint: url, credentials, firstDelayMs: 1, uploadLifeMs: Number.POSITIVE_INFINITY }
  }
  const listUploads = async (bucket: string) =>
    elementsOf(await (await fetch(`${server.url}/${bucket}?uploads`)).text(), 'Upload').map((upload) =>
      textOf(upload, 'Key'),
    )

  describeBlobsContract('s3', async () => {
    await makeBucket('contract')
    const blobs = createS3Blobs(optionsOf('contract'))
    return { blobs, reopen: async () => createS3Blobs(optionsOf('contract')), remove: () => blobs.close() }
  })

  describe('blobs in S3', () => {
    testAccidents({
      serverUrl: () => server.url,
      async open(url, name) {
        await makeBucket(name)
        return createS3Blobs(optionsOf(name, url))
      },
    })

    test('lie under a prefix and leave alone what lies beside', async () => {
      await makeBucket('shared')
      const blobs = createS3Blobs({ ...optionsOf('shared'), prefix: 'ponto/prod' })
      for (const name of ['files/a', 'ponto/prod/strange name', 'ponto/production/a']) {
        await fetch(`${server.url}/shared/${name}`, { method: 'PUT', body: 'of others' })
      }
      await blobs.write('files/a', inChunks(makeBytes(6 * mebibyte)))
      await blobs.join('files/b', ['files/a', 'files/a'])
      expect(await Array.fromAsync(blobs.list(''))).toMatchObject([
        { key: 'files/a', bytes: 6 * mebibyte },
        { key: 'files/b', bytes: 12 * mebibyte },
      ])
      const whole = createS3Blobs(optionsOf('shared'))
      expect(await whole.size('ponto/prod/files/a')).toBe(6 * mebibyte)
      expect(await collect(whole.read('files/a'))).toEqual(new TextEncoder().encode('of others'))
      await blobs.close()
    })

    test('writes and joins that fail leave no parts in the bucket', async () => {
      await makeBucket('no-parts')
      const blobs = createS3Blobs(optionsOf('no-parts'))
      const broken = async function* () {
        yield* inChunks(makeBytes(17 * mebibyte))
        expect(await listUploads('no-parts')).toEqual(['files/a'])
        throw new Error('gone')
      }
      await expect(blobs.write('files/a', broken())).rejects.toThrow('gone')
      expect(await listUploads('no-parts')).toEqual([])
      await blobs.write('files/part', inChunks(makeBytes(6 * mebibyte)))
      // Deleted between the look at its size and the copy.
      const proxy = await startFlakyProxy(server.url, ({ headers }) => {
        if (headers['x-amz-copy-source'] === undefined) return 'pass'
        void fetch(`${server.url}/no-parts/files/part`, { method: 'DELETE' })
        return 'refuse'
      })
      const hindered = createS3Blobs(optionsOf('no-parts', proxy.url))
      await expect(hindered.join('files/b', ['files/part'])).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(await listUploads('no-parts')).toEqual([])
      await proxy.stop()
      await blobs.close()
    }, 60_000)

    test('are joined by the store where that can', async () => {
      await makeBucket('copies')
      const proxy: FlakyProxy = await startFlakyProxy(server.url, () => 'pass')
      const blobs = createS3Blobs(optionsOf('copies', proxy.url))
      const bytes = makeBytes(6 * mebibyte)
      await blobs.write('uploads/u/1', inChunks(bytes))
      await blobs.write('uploads/u/2', inChunks(bytes))
      const before = proxy.seen.length
      await blobs.join('files/a', ['uploads/u/1', 'uploads/u/2'])
      const during = proxy.seen.slice(before)
      expect(during.filter(({ method }) => method === 'GET')).toEqual([])
      expect(during.filter(({ headers }) => headers['x-amz-copy-source'] !== undefined)).toHaveLength(2)
      expect(await collect(blobs.read('files/a'))).toEqual(new Uint8Array(Buffer.concat([bytes, bytes])))
      await proxy.stop()
      await blobs.close()
    })

    test('another writer is not taken for a lost answer', async () => {
      await makeBucket('not-ours')
      const proxy = await startFlakyProxy(server.url, ({ method, url }) => {
        if (method !== 'POST' || !url.includes('uploadId=')) return 'pass'
        return 'refuse'
      })
      const blobs = createS3Blobs(optionsOf('not-ours', proxy.url))
      await createS3Blobs(optionsOf('not-ours')).write('files/a', inChunks(makeBytes(9 * mebibyte, 1)))
      await expect(blobs.write('files/a', inChunks(makeBytes(9 * mebibyte, 2)))).rejects.toMatchObject({
        code: 'storage-unavailable',
      })
      expect(await collect(blobs.read('files/a'))).toEqual(makeBytes(9 * mebibyte, 1))
      expect(await listUploads('not-ours')).toEqual([])
      await proxy.stop()
    }, 60_000)
  })
})

withS3Server('blobs in S3 that checks signatures', () => {
  let server: StoreServer
  beforeAll(async () => {
    server = await startS3Server(4)
  })
  afterAll(() => server?.stop())

  /** A request to the stand-in's list of users, which it takes unsigned at first. */
  const ask = async (action: string, parameters: Record<string, string>): Promise<string> => {
    const answer = await fetch(server.url, {
      method: 'POST',
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=none/20260101/${region}/iam/aws4_request, SignedHeaders=host, Signature=none`,
      },
      body: new URLSearchParams({ Action: action, Version: '2010-05-08', UserName: 'ponto', ...parameters }),
    })
    return answer.text()
  }

  test('what we sign is let in, and another secret is not', async () => {
    await ask('CreateUser', {})
    const key = await ask('CreateAccessKey', {})
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] }
    await ask('PutUserPolicy', { PolicyName: 'all', PolicyDocument: JSON.stringify(policy) })
    await fetch(`${server.url}/checked`, { method: 'PUT' })
    const good = {
      accessKeyId: textOf(key, 'AccessKeyId') as string,
      secretAccessKey: textOf(key, 'SecretAccessKey') as string,
    }
    const options = {
      bucket: 'checked',
      region,
      endpoint: server.url,
      uploadLifeMs: Number.POSITIVE_INFINITY,
      firstDelayMs: 1,
    }
    const blobs = createS3Blobs({ ...options, credentials: good })
    // Some versions of the stand-in do not take a "/" in a query that is encoded as it should be: see the examples of signatures.
    await blobs.write('files/small', inChunks(makeBytes(1_000)))
    await blobs.write('files/large', inChunks(makeBytes(9 * mebibyte)))
    await blobs.join('files/joined', ['files/large', 'files/small'])
    expect((await collect(blobs.read('files/joined', { start: 5 }))).byteLength).toBe(9 * mebibyte + 995)
    expect(await Array.fromAsync(blobs.list('files'))).toHaveLength(3)
    expect(await blobs.delete('files/joined')).toBe(true)

    const bad = { ...good, secretAccessKey: 'another' }
    const refused = createS3Blobs({ ...options, credentials: bad })
    const told = await refused.write('files/a', inChunks(makeBytes(10))).catch((error) => error)
    expect(told.detail.cause.message).toBe('the store of blobs answered PUT with 403 SignatureDoesNotMatch')
  }, 60_000)
})

test('what writers left in S3 that died is given up after a day', async () => {
  const asked: string[] = []
  const uploadOf = (key: string, hours: number) =>
    `<Upload><Key>${key}</Key><UploadId>${key}-${hours}</UploadId><Initiated>${new Date(Date.now() - hours * 3_600_000).toISOString()}</Initiated></Upload>`
  const pages = [
    `<R>${uploadOf('ponto/files/a', 25)}${uploadOf('ponto/files/b', 23)}<IsTruncated>true</IsTruncated><NextKeyMarker>ponto/files/b</NextKeyMarker><NextUploadIdMarker>m</NextUploadIdMarker></R>`,
    `<R>${uploadOf('ponto/files/c', 100)}${uploadOf('pontoon', 100)}<IsTruncated>false</IsTruncated></R>`,
  ]
  const done = Promise.withResolvers<void>()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname, search } = new URL(request.url)
      asked.push(`${request.method} ${pathname}${search}`)
      if (request.method === 'GET') return new Response(pages.shift())
      if (pathname.endsWith('c')) done.resolve()
      return new Response(null, { status: 204 })
    },
  })
  const blobs = createS3Blobs({ bucket: 'b', region, credentials, prefix: 'ponto', endpoint: server.url.href })
  await done.promise
  await blobs.close()
  await server.stop(true)
  expect(asked).toEqual([
    'GET /b/?prefix=ponto%2F&uploads=',
    'DELETE /b/ponto/files/a?uploadId=ponto%2Ffiles%2Fa-25',
    'GET /b/?key-marker=ponto%2Ffiles%2Fb&prefix=ponto%2F&upload-id-marker=m&uploads=',
    'DELETE /b/ponto/files/c?uploadId=ponto%2Ffiles%2Fc-100',
  ])
})

test('a failure that S3 tells in an answer of 200 is one, and what is in a blob is none', () => {
  const { errorCodeOf } = createS3Requests({ bucket: 'b', region, credentials })
  const codeOf = (status: number, text: string) =>
    errorCodeOf({ status, headers: new Headers(), body: new TextEncoder().encode(text) })
  const error = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>m</Message></Error>'
  expect(codeOf(200, error)).toBe('InternalError')
  expect(codeOf(503, error)).toBe('InternalError')
  expect(codeOf(206, error)).toBeUndefined()
  expect(codeOf(200, '<CopyPartResult><ETag>"a"</ETag></CopyPartResult>')).toBeUndefined()
})
