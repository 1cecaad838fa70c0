import { checkBlobKey, checkBlobPrefix, isBlobKey } from '../keys.ts'
import type { Blobs, StoredBlob } from '../port.ts'
import { joinBlobs, type PartTarget } from '../remote/join-blobs.ts'
import { createRemoteReader } from '../remote/reader.ts'
import { createSender } from '../remote/send-request.ts'
import { writePieces } from '../remote/write-pieces.ts'
import { elementsOf, textOf } from '../remote/xml.ts'
import { createS3Requests } from './requests.ts'
import type { S3Credentials } from './sign.ts'
import { abortOldUploads, beginUpload } from './upload.ts'

export type S3Options = {
  readonly bucket: string
  readonly region: string
  readonly credentials: S3Credentials
  /** `https://host:port` of another store than AWS that speaks its protocol. */
  readonly endpoint?: string | undefined
  /** Whether the bucket stands in the path and not in the name of the host. Absent: it does where there is an endpoint. */
  readonly isPathStyle?: boolean | undefined
  /** Before every key in the bucket: `ponto` for `ponto/files/file-a`. */
  readonly prefix?: string | undefined
  /** After so long an upload that did not end is taken for that of a writer that died. Absent: a day. */
  readonly uploadLifeMs?: number | undefined
  /** For tests: of requests that failed. */
  readonly firstDelayMs?: number | undefined
}

/** Of a write, in memory and in one request. With 10,000 parts at most a blob can have 80 GiB. */
const partBytes = 8 * 1024 * 1024
/** The store takes no part below 5 MiB but the last one. */
const joinLimits = { leastBytes: 5 * 1024 * 1024, mostBytes: 64 * 1024 * 1024 }

/**
 * Blobs as objects of a bucket of S3, or of what speaks its protocol. Does not wait for the store; what writers left there that died is
 * removed meanwhile, a day after. Its user needs GetObject, PutObject, DeleteObject, AbortMultipartUpload, ListBucket and
 * ListBucketMultipartUploads.
 */
export function createS3Blobs(options: S3Options): Blobs {
  const { uploadLifeMs = 24 * 3_600_000 } = options
  const closing = new AbortController()
  const requests = createS3Requests(options)
  const send = createSender({ ...requests, firstDelayMs: options.firstDelayMs })
  const prefix = options.prefix ? `${options.prefix}/` : ''
  const { pathOf, size, read } = createRemoteReader(send, prefix, requests)

  const writeParts = async (key: string, fill: (target: PartTarget) => Promise<void>): Promise<void> => {
    const upload = await beginUpload(send, pathOf(key))
    try {
      await fill({
        add: upload.add,
        copy: (index, { key: source, start, end }) =>
          upload.copy(index, requests.sourceOf(prefix + source), start, end),
      })
      await upload.complete()
    } catch (error) {
      await upload.abort()
      throw error
    }
  }

  const put = async (key: string, body: Uint8Array): Promise<void> => {
    await send({ method: 'PUT', path: pathOf(key), body }, [200])
  }

  const write: Blobs['write'] = (key, content) => writePieces({ put, writeParts }, key, content, partBytes)

  const list = async function* (keyPrefix: string): AsyncGenerator<StoredBlob> {
    let token: string | undefined
    do {
      const query = {
        'list-type': '2',
        prefix: prefix + keyPrefix,
        ...(token !== undefined && { 'continuation-token': token }),
      }
      const { body } = await send({ method: 'GET', path: requests.pathOf(''), query }, [200])
      const page = new TextDecoder().decode(body)
      for (const object of elementsOf(page, 'Contents')) {
        const key = textOf(object, 'Key')?.slice(prefix.length) ?? ''
        // What others keep in the bucket is not ours.
        if (!isBlobKey(key)) continue
        yield {
          key,
          bytes: Number(textOf(object, 'Size')),
          changedAt: Date.parse(textOf(object, 'LastModified') ?? ''),
        }
      }
      token = textOf(page, 'IsTruncated') === 'true' ? textOf(page, 'NextContinuationToken') : undefined
    } while (token !== undefined)
  }

  const cleaner = createSender({ ...requests, signal: closing.signal })
  const cleaning = abortOldUploads(cleaner, requests.pathOf, prefix, Date.now() - uploadLifeMs).catch(() => {})

  return {
    write,
    read,
    size,
    join: async (key, parts) => {
      checkBlobKey(key)
      return joinBlobs({ read, size, write, writeParts }, key, parts, joinLimits)
    },
    async delete(key) {
      // The store does not say whether there was something to delete.
      const isThere = (await size(key)) !== undefined
      if (isThere) await send({ method: 'DELETE', path: pathOf(key) }, [204, 404])
      return isThere
    },
    list(keyPrefix) {
      checkBlobPrefix(keyPrefix)
      return list(keyPrefix)
    },
    async close() {
      closing.abort()
      await cleaning
    },
  }
}
