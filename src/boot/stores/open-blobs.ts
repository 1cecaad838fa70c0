import { Fault } from '../../core/fault.ts'
import { createDiskBlobs } from '../../port/blobs/disk/create-disk-blobs.ts'
import type { Blobs } from '../../port/blobs/port.ts'

export type BlobsChoice = {
  /** `disk`, `s3://bucket/prefix?region=...` or `azure://container/prefix`. */
  readonly store: string
  /** Where they lie on disk. */
  readonly folder: string
  readSecret(name: string): string | undefined
}

/**
 * Where the content of files is kept. Another store than the disk is not waited for: inference does without. Throws Fault `invalid-request` for one
 * that is none, or whose secrets are missing.
 */
export async function openBlobs({ store, folder, readSecret }: BlobsChoice): Promise<Blobs> {
  if (store === 'disk') return createDiskBlobs(folder)
  // The others cost time to load, and most servers are alone.
  const { readAzureAccount, readBlobStore, readS3Credentials } = await import('../../port/blobs/read-blob-store.ts')
  const chosen = readBlobStore(store, '--blobs')
  switch (chosen.kind) {
    case 'disk':
      return createDiskBlobs(folder)
    case 's3': {
      const { createS3Blobs } = await import('../../port/blobs/s3/create-s3-blobs.ts')
      return createS3Blobs({ ...chosen, credentials: readS3Credentials(readSecret) })
    }
    case 'azure': {
      const { createAzureBlobs } = await import('../../port/blobs/azure/create-azure-blobs.ts')
      return createAzureBlobs({ ...chosen, account: readAzureAccount(readSecret) })
    }
  }
}

/** Asks the store for whatever there is. Throws Fault `storage-unavailable`. */
export async function tryBlobs(blobs: Pick<Blobs, 'list'>): Promise<void> {
  for await (const _ of blobs.list('files/')) return
}

/** What a store said, for an operator; callers of the API do not see it. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Fault ? error.detail.cause : undefined
  if (cause instanceof Error) return cause.message
  return error instanceof Error ? error.message : String(error)
}
