import { Fault } from '../../core/fault.ts'
import type { FilesTable } from '../../port/tables/files/port.ts'
import { uploadPurposes } from './fields.ts'
import type { FileLimits } from './limits.ts'

export type Quota = {
  /**
   * Whether the owner may have another file of that size, and of that life where it is known. Throws Fault `insufficient-quota`. Of
   * several that come at the same moment each may be told the same.
   */
  checkFile(owner: string, more: { readonly bytes: number; readonly expires?: boolean | undefined }): Promise<void>
  /** The same of another file that comes in parts. */
  checkUpload(owner: string, bytes: number): Promise<void>
}

export function createQuota(table: FilesTable, limits: FileLimits, now: () => number): Quota {
  const { maxLastingFiles, maxExpiringFiles, maxOwnerBytes, maxPendingUploads } = limits

  async function checkFile(
    owner: string,
    { bytes, expires }: { readonly bytes: number; readonly expires?: boolean | undefined },
  ): Promise<void> {
    const has = await table.sum(owner, uploadPurposes)
    const isFull = { lasting: has.lasting >= maxLastingFiles, expiring: has.expiring >= maxExpiringFiles }
    if (isFull.lasting && isFull.expiring) {
      throw refuse(`${maxLastingFiles} files and ${maxExpiringFiles} that expire are there`, 'Delete some.')
    }
    if (isFull.lasting && expires === false) {
      throw refuse(`${maxLastingFiles} files are there`, 'Delete some, or let this one expire: expires_after.')
    }
    if (isFull.expiring && expires === true) {
      throw refuse(`${maxExpiringFiles} files that expire are there`, 'Delete some.')
    }
    const pending = await table.sumUploads(owner, now())
    if (has.bytes + pending.bytes + bytes > maxOwnerBytes) {
      throw refuse(`all files together may have ${maxOwnerBytes} bytes`, 'Delete some.')
    }
  }

  return {
    checkFile,
    async checkUpload(owner, bytes) {
      await checkFile(owner, { bytes })
      const { uploads } = await table.sumUploads(owner, now())
      if (uploads >= maxPendingUploads) {
        throw refuse(`${maxPendingUploads} uploads are pending`, 'Complete or cancel some.')
      }
    },
  }
}

function refuse(why: string, wayOut: string): Fault {
  return new Fault('insufficient-quota', `The quota of this key is used up: ${why}. ${wayOut}`)
}
