import { Fault } from '../../core/fault.ts'
import type { FormPart, ServiceRequest } from '../../core/service-route.ts'
import type { FileRow } from '../../port/tables/files/port.ts'
import { ownerOf } from '../stored-completions/owner.ts'
import { bounded, refuseSize } from './bounded.ts'
import { readExpiresAfter, readFilename, readPurpose, requireFormat } from './fields.ts'
import type { FileLimits } from './limits.ts'
import type { Quota } from './quota.ts'
import { discardContent, type FileParts, type FileStore, fileKey } from './store.ts'

export type FileWorld = FileParts & { readonly limits: FileLimits; readonly store: FileStore; readonly quota: Quota }

/** What a form has said so far. */
type Draft = {
  readonly id: string
  purpose?: string
  anchor?: string
  seconds?: string
  filename?: string
  bytes?: number
}

/**
 * Stores the file of a form while it arrives. Its other fields may come before or behind it, so what only they forbid is told when the
 * content is there already; it is taken away again then. Rejects with Faults `invalid-request`, `body-too-large`, `insufficient-quota`,
 * `storage-unavailable` and those of the form.
 */
export async function createFile({ caller, form }: ServiceRequest, world: FileWorld): Promise<FileRow> {
  const owner = ownerOf(caller)
  const { table, now, quota, store } = world
  await quota.checkFile(owner, { bytes: 0 })
  const draft: Draft = { id: store.makeId() }
  try {
    for await (const part of form ?? []) await readPart(part, draft, world)
    const { purpose, filename, bytes } = draft
    if (purpose === undefined) throw refuseMissing('purpose')
    if (filename === undefined || bytes === undefined) throw refuseMissing('file')
    requireFormat(purpose, filename, 'file')
    if (bytes > maxBytesOf(purpose, world.limits)) throw refuseFileSize(purpose, world.limits)
    const lastsMs = readExpiresAfter(draft)
    await quota.checkFile(owner, { bytes, expires: lastsMs !== undefined })
    const createdAt = now()
    const file: FileRow = {
      id: draft.id,
      owner,
      filename,
      purpose,
      bytes,
      status: 'processed',
      createdAt,
      expiresAt: lastsMs === undefined ? undefined : createdAt + lastsMs,
    }
    await table.add(file)
    return file
  } catch (error) {
    if (draft.bytes !== undefined) await discardContent(draft.id, world)
    throw error
  }
}

async function readPart(part: FormPart, draft: Draft, { blobs, limits }: FileWorld): Promise<void> {
  switch (part.name) {
    case 'purpose':
      draft.purpose = readPurpose(readText(part, draft.purpose))
      return
    case 'expires_after[anchor]':
    case 'expires_after.anchor':
      draft.anchor = readText(part, draft.anchor)
      return
    case 'expires_after[seconds]':
    case 'expires_after.seconds':
      draft.seconds = readText(part, draft.seconds)
      return
    case 'file': {
      if (part.filename === undefined) {
        throw new Fault('invalid-request', "Invalid value for 'file': it must be sent as a file, with a filename.", {
          param: 'file',
        })
      }
      if (draft.filename !== undefined) throw refuseTwice('file')
      draft.filename = readFilename(part.filename, 'file')
      const { purpose } = draft
      if (purpose !== undefined) requireFormat(purpose, draft.filename, 'file')
      const content = bounded(part.content, maxBytesOf(purpose, limits), () => refuseFileSize(purpose, limits))
      draft.bytes = (await blobs.write(fileKey(draft.id), content)).bytes
    }
  }
}

/** The text of a field that may come once. */
function readText({ name, value }: FormPart, before: string | undefined): string {
  if (before !== undefined) throw refuseTwice(name)
  if (value !== undefined) return value
  throw new Fault('invalid-request', `Invalid value for '${name}': it must be a short text.`, { param: name })
}

export function maxBytesOf(purpose: string | undefined, { maxFileBytes, maxBatchFileBytes }: FileLimits): number {
  return purpose === 'batch' ? Math.min(maxFileBytes, maxBatchFileBytes) : maxFileBytes
}

function refuseFileSize(purpose: string | undefined, limits: FileLimits): Fault {
  const what = purpose === 'batch' ? 'A file for batches' : 'A file'
  return refuseSize('file', `${what} may have ${maxBytesOf(purpose, limits)} bytes.`)
}

export function refuseMissing(param: string): Fault {
  return new Fault('invalid-request', `Invalid value for '${param}': it is missing from the form.`, { param })
}

function refuseTwice(param: string): Fault {
  return new Fault('invalid-request', `Invalid value for '${param}': it is in the form twice.`, { param })
}
