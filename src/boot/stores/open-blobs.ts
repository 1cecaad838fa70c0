import { createAzureBlobs } from '../../port/blobs/azure/create-azure-blobs.ts'
import { createDiskBlobs } from '../../port/blobs/disk/create-disk-blobs.ts'
import type { Blobs } from '../../port/blobs/port.ts'
import { readAzureAccount, readBlobStore, readS3Credentials } from '../../port/blobs/read-blob-store.ts'
import { createS3Blobs } from '../../port/blobs/s3/create-s3-blobs.ts'

export type BlobsChoice = {
  /** `disk`, `s3://bucket/prefix?region=...` or `azure://container/prefix`. */
  readonly store: string
  /** Where they lie on disk. */
  readonly folder: string
  readSecret(name: string): string | undefined
}

/** Where the content of files is kept. Throws Fault `invalid-request` for a store that is none, or whose secrets are missing. */
export async function openBlobs({ store, folder, readSecret }: BlobsChoice): Promise<Blobs> {
  const chosen = readBlobStore(store, '--blobs')
  switch (chosen.kind) {
    case 'disk':
      return createDiskBlobs(folder)
    case 's3':
      return createS3Blobs({ ...chosen, credentials: readS3Credentials(readSecret) })
    case 'azure':
      return createAzureBlobs({ ...chosen, account: readAzureAccount(readSecret) })
  }
}
