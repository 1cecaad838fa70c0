import { createHash } from 'node:crypto'
import { z } from 'zod'
import { Fault } from '../../core/fault.ts'
import type { ServiceRequest } from '../../core/service-route.ts'
import type { FileRow, UploadPartRow, UploadRow } from '../../port/tables/files/port.ts'
import { readBody } from '../../wire/read-body.ts'
import { refuseParameter } from '../read-page.ts'
import { ownerOf } from '../stored-completions/owner.ts'
import { bounded, refuseSize } from './bounded.ts'
import { type FileWorld, refuseMissing } from './create-file.ts'
import { readExpiresAfter, readFilename, readPurpose, requireFormat } from './fields.ts'
import { canBeFileId, createIds } from './ids.ts'
import { discardBlob, discardContent, fileKey } from './store.ts'

export type Ended = { readonly upload: UploadRow; readonly file?: FileRow | undefined }

/** Files that come in parts. All reject with Faults, `not-found` where the owner has no such upload. */
export type Uploads = {
  begin(request: ServiceRequest): Promise<UploadRow>
  addPart(request: ServiceRequest): Promise<UploadPartRow>
  /** Also of one that was completed before, which gives the same again. */
  complete(request: ServiceRequest): Promise<Ended>
  cancel(request: ServiceRequest): Promise<Ended>
}

export const uploadPrefix = 'uploads/'
export const partKey = (uploadId: string, id: string): string => `${uploadPrefix}${uploadId}/${id}`

/** Parts that were sent twice are not counted against it, up to that. */
const mostTimes = 2
const discardsAtOnce = 8

const beginSchema = z.looseObject({
  purpose: z.string(),
  filename: z.string(),
  bytes: z.int().min(1),
  mime_type: z.string().regex(/^[\x20-\x7e]{1,255}$/, 'a media type of 1 to 255 characters'),
  expires_after: z.looseObject({ anchor: z.unknown(), seconds: z.unknown() }).nullish(),
})
const completeSchema = z.looseObject({
  part_ids: z.array(z.string()).min(1),
  md5: z.string().nullish(),
})

export function createUploads(world: FileWorld): Uploads {
  const { table, blobs, now, log, limits, quota, store } = world
  const makeId = createIds(now)

  async function find({ caller, params }: ServiceRequest): Promise<UploadRow> {
    const id = params.upload_id as string
    const upload = canBeFileId(id) ? await table.getUpload(id) : undefined
    if (upload && upload.owner === ownerOf(caller)) {
      return upload.status === 'pending' && upload.expiresAt <= now() ? { ...upload, status: 'expired' } : upload
    }
    throw new Fault(
      'not-found',
      `There is no upload ${JSON.stringify(id.slice(0, 64))}. Uploads expire, and a key finds its own only.`,
      { param: 'upload_id' },
    )
  }

  async function discardParts(uploadId: string): Promise<void> {
    const parts = await table.listParts(uploadId)
    for (let at = 0; at < parts.length; at += discardsAtOnce) {
      const some = parts.slice(at, at + discardsAtOnce)
      await Promise.all(some.map(({ id }) => discardBlob(partKey(uploadId, id), { blobs, log })))
    }
  }

  async function join(upload: UploadRow, parts: readonly UploadPartRow[], md5: string | undefined): Promise<FileRow> {
    const keys = parts.map(({ id }) => partKey(upload.id, id))
    if (md5 !== undefined) await requireMd5(keys, md5)
    const id = store.makeId()
    const { bytes } = await blobs.join(fileKey(id), keys)
    const createdAt = now()
    const { owner, filename, purpose, fileLastsMs } = upload
    const expiresAt = fileLastsMs === undefined ? undefined : createdAt + fileLastsMs
    const file: FileRow = { id, owner, filename, purpose, bytes, status: 'processed', createdAt, expiresAt }
    let isWon = false
    try {
      isWon = await table.completeUpload(upload.id, file)
    } catch (error) {
      await discardContent(id, { table, blobs, log })
      throw error
    }
    if (isWon) return file
    await discardBlob(fileKey(id), { blobs, log })
    throw refuseEnded(upload.id, 'was completed or cancelled meanwhile')
  }

  async function requireMd5(keys: readonly string[], expected: string): Promise<void> {
    const hash = createHash('md5')
    for (const key of keys) for await (const bytes of blobs.read(key, undefined, { isReused: true })) hash.update(bytes)
    const digest = hash.digest()
    if (digest.toString('hex') === expected.toLowerCase() || digest.toString('base64') === expected) return
    throw refuseParameter('md5', expected, `the MD5 of the parts, ${digest.toString('hex')}`)
  }

  return {
    async begin({ caller, body }) {
      const owner = ownerOf(caller)
      const given = readBody(beginSchema, body)
      const purpose = readPurpose(given.purpose)
      const filename = readFilename(given.filename, 'filename')
      requireFormat(purpose, filename, 'filename')
      const { maxUploadBytes, maxBatchFileBytes } = limits
      const maxBytes = purpose === 'batch' ? Math.min(maxUploadBytes, maxBatchFileBytes) : maxUploadBytes
      if (given.bytes > maxBytes) {
        throw refuseParameter('bytes', String(given.bytes), `at most ${maxBytes} for the purpose "${purpose}"`)
      }
      const fileLastsMs = readExpiresAfter(given.expires_after ?? {})
      await quota.checkUpload(owner, given.bytes)
      const createdAt = now()
      const upload: UploadRow = {
        id: makeId('upload_'),
        owner,
        filename,
        purpose,
        bytes: given.bytes,
        mimeType: given.mime_type,
        status: 'pending',
        createdAt,
        expiresAt: createdAt + limits.uploadLastsMs,
        fileLastsMs,
      }
      await table.addUpload(upload)
      return upload
    },

    async addPart(request) {
      const upload = requirePending(await find(request))
      const sent = await table.sumParts(upload.id)
      if (sent.parts >= limits.maxParts) {
        throw refuseSize('data', `An upload may have ${limits.maxParts} parts; larger parts make fewer.`)
      }
      const maxBytes = Math.min(limits.maxPartBytes, upload.bytes, mostTimes * upload.bytes - sent.bytes)
      const rule = `A part may have ${limits.maxPartBytes} bytes, and all parts what the upload says, ${upload.bytes}.`
      let part: UploadPartRow | undefined
      try {
        for await (const { name, content } of request.form ?? []) {
          if (name !== 'data' || part) continue
          const id = makeId('part_')
          const data = bounded(content, maxBytes, () => refuseSize('data', rule))
          const { bytes } = await blobs.write(partKey(upload.id, id), data)
          part = { id, uploadId: upload.id, bytes, createdAt: now() }
        }
        if (!part) throw refuseMissing('data')
        if (await table.addPart(part)) return part
        throw refuseEnded(upload.id, 'was completed or cancelled meanwhile')
      } catch (error) {
        // Where the row was added all the same, the part cannot be joined, and is sent again.
        if (part) await discardBlob(partKey(upload.id, part.id), { blobs, log })
        throw error
      }
    },

    async complete(request) {
      const { part_ids: ids, md5 } = readBody(completeSchema, request.body)
      const found = await find(request)
      if (found.status === 'completed') return { upload: found, file: await findFile(found) }
      const upload = requirePending(found)
      const parts = pickParts(ids, await table.listParts(upload.id))
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
      if (bytes !== upload.bytes) {
        throw new Fault(
          'invalid-request',
          `Invalid value for 'part_ids': the parts have ${bytes} bytes together, expected the ${upload.bytes} that the upload says.`,
          { param: 'part_ids' },
        )
      }
      await quota.checkFile(upload.owner, { bytes: 0, expires: upload.fileLastsMs !== undefined })
      const file = await join(upload, parts, md5 ?? undefined)
      await discardParts(upload.id).catch(() => {})
      return { upload: { ...upload, status: 'completed', fileId: file.id }, file }
    },

    async cancel(request) {
      const found = await find(request)
      if (found.status === 'cancelled') return { upload: found }
      const upload = requirePending(found)
      if (!(await table.endUpload(upload.id, 'cancelled'))) throw refuseEnded(upload.id, 'has ended meanwhile')
      await discardParts(upload.id).catch(() => {})
      return { upload: { ...upload, status: 'cancelled' } }
    },
  }

  async function findFile({ owner, fileId }: UploadRow): Promise<FileRow | undefined> {
    return fileId === undefined ? undefined : store.find(owner, fileId)
  }
}

function requirePending(upload: UploadRow): UploadRow {
  if (upload.status === 'pending') return upload
  throw refuseEnded(upload.id, upload.status === 'expired' ? 'has expired' : `is ${upload.status}`)
}

function refuseEnded(id: string, why: string): Fault {
  return new Fault('conflict', `The upload ${id} ${why}. Begin another one.`)
}

/** The parts in the order of their ids. */
function pickParts(ids: readonly string[], all: readonly UploadPartRow[]): UploadPartRow[] {
  const left = new Map(all.map((part) => [part.id, part]))
  return ids.map((id, index) => {
    const part = left.get(id)
    left.delete(id)
    if (part) return part
    throw refuseParameter(`part_ids[${index}]`, id, 'a part of this upload, once')
  })
}
