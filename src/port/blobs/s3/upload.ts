import { randomUUID } from 'node:crypto'
import { blobNotFound, storageUnavailable } from '../blob-faults.ts'
import type { Sender } from '../remote/send-request.ts'
import { elementsOf, textOf } from '../remote/xml.ts'

/** An object in the making, of numbered parts. Indexes count from 0. Throws Fault `storage-unavailable`. */
export type Upload = {
  add(index: number, content: Uint8Array): Promise<void>
  /** Bytes of another object of the bucket. Throws Fault `not-found`. */
  copy(index: number, source: string, start: number, end: number): Promise<void>
  complete(): Promise<void>
  /** Gives it up, as far as the store lets us: never throws. */
  abort(): Promise<void>
}

/** Tells our object from what another writer put there at the same time. */
const writeIdHeader = 'x-amz-meta-ponto-write'

/** `path` is where the object shall be. */
export async function beginUpload(send: Sender, path: string): Promise<Upload> {
  const writeId = randomUUID()
  const begun = await send(
    { method: 'POST', path, query: { uploads: '' }, headers: { [writeIdHeader]: writeId } },
    [200],
  )
  const uploadId = textOf(decode(begun.body), 'UploadId')
  if (!uploadId) throw storageUnavailable(new Error('the store of blobs began an upload without an id'))
  const tags: string[] = []

  const note = (index: number, tag: string | null | undefined): void => {
    if (!tag) throw storageUnavailable(new Error('the store of blobs took a part without a tag'))
    tags[index] = tag
  }
  const queryOf = (index: number) => ({ partNumber: `${index + 1}`, uploadId })

  const isOurs = async (): Promise<boolean> => {
    const { status, headers } = await send({ method: 'HEAD', path }, [200, 404])
    return status === 200 && headers.get(writeIdHeader) === writeId
  }

  return {
    async add(index, content) {
      const { headers } = await send({ method: 'PUT', path, query: queryOf(index), body: content }, [200])
      note(index, headers.get('etag'))
    },

    async copy(index, source, start, end) {
      const headers = { 'x-amz-copy-source': source, 'x-amz-copy-source-range': `bytes=${start}-${end - 1}` }
      const { status, body } = await send({ method: 'PUT', path, query: queryOf(index), headers }, [200, 404])
      if (status === 404) throw blobNotFound()
      note(index, textOf(decode(body), 'ETag'))
    },

    async complete() {
      const parts = Array.from(tags, (tag, index) => {
        return `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag.replaceAll('"', '&quot;')}</ETag></Part>`
      })
      const body = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
      try {
        await send({ method: 'POST', path, query: { uploadId }, body }, [200])
      } catch (error) {
        // The answer may have been lost, and then there was no such upload when it was asked again.
        if (!(await isOurs())) throw error
      }
    },

    async abort() {
      await send({ method: 'DELETE', path, query: { uploadId } }, [204, 404]).catch(() => {})
    },
  }
}

/** Gives up the uploads below the prefix that were begun before that moment, in unix milliseconds: their writers have died. */
export async function abortOldUploads(
  send: Sender,
  pathOf: (name: string) => string,
  prefix: string,
  before: number,
): Promise<void> {
  let marker: Record<string, string> | undefined = {}
  while (marker !== undefined) {
    const query: Record<string, string> = { uploads: '', ...(prefix && { prefix }), ...marker }
    const page = decode((await send({ method: 'GET', path: pathOf(''), query }, [200])).body)
    for (const upload of elementsOf(page, 'Upload')) {
      const [name, uploadId] = [textOf(upload, 'Key'), textOf(upload, 'UploadId')]
      const begunAt = Date.parse(textOf(upload, 'Initiated') ?? '')
      if (name?.startsWith(prefix) && uploadId && begunAt < before) {
        await send({ method: 'DELETE', path: pathOf(name), query: { uploadId } }, [204, 404])
      }
    }
    const [keyMarker, idMarker] = [textOf(page, 'NextKeyMarker'), textOf(page, 'NextUploadIdMarker')]
    const isMore = textOf(page, 'IsTruncated') === 'true' && keyMarker && idMarker
    marker = isMore ? { 'key-marker': keyMarker, 'upload-id-marker': idMarker } : undefined
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
