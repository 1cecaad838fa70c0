import type { Job, JobContext, JobHandler } from '../../port/jobs/port.ts'
import { canBeFileId } from './ids.ts'
import { type FileParts, filePrefix, removeFile } from './store.ts'
import { partKey, uploadPrefix } from './uploads.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const leaseMs = minuteMs
const portion = 100
const mostFailures = 10

/** What was written a moment ago may get its row in the next one, on a server whose clock is not ours. */
const graceMs = hourMs

/**
 * `file-expiry`: takes away files and uploads whose time is over, and files whose deletion was not ended. `file-sweep`: blobs that nobody
 * refers to, as a crash between blob and row leaves them. Both may run on several servers at once.
 */
export function createFileChores(parts: FileParts): Readonly<Record<string, JobHandler>> {
  const chore = (everyMs: number, run: (signal: AbortSignal) => Promise<void>): JobHandler => ({
    leaseMs,
    everyMs,
    atOnce: 1,
    async run(_job: Job, { signal }: JobContext) {
      await run(signal)
      return { kind: 'done' }
    },
  })
  return {
    'file-expiry': chore(5 * minuteMs, async (signal) => {
      await removeFiles(parts, signal)
      await removeUploads(parts, signal)
    }),
    'file-sweep': chore(6 * hourMs, (signal) => sweepBlobs(parts, signal)),
  }
}

async function removeFiles({ table, blobs, now, log }: FileParts, signal: AbortSignal): Promise<void> {
  const work = countWork()
  let files = await table.listRemovable(now(), portion)
  while (files.length > 0 && !signal.aborted) {
    for (const { id, status } of files) {
      await work.attempt(async () => {
        if (status !== 'deleting') await table.update(id, { status: 'deleting' })
        await removeFile(id, { table, blobs })
      })
    }
    files = await table.listRemovable(now(), portion, files.at(-1)?.id)
  }
  work.end((removed) => log.info({ removed }, 'files past their time were removed'))
}

/** An upload stays for a while after its time: whoever completes it at the last moment still reads its parts. */
async function removeUploads({ table, blobs, now, log }: FileParts, signal: AbortSignal): Promise<void> {
  const work = countWork()
  let uploads = await table.listExpiredUploads(now() - graceMs, portion)
  while (uploads.length > 0 && !signal.aborted) {
    for (const { id } of uploads) {
      await work.attempt(async () => {
        await table.endUpload(id, 'expired')
        for (const part of await table.listParts(id)) await blobs.delete(partKey(id, part.id))
        await table.deleteUpload(id)
      })
    }
    uploads = await table.listExpiredUploads(now() - graceMs, portion, uploads.at(-1)?.id)
  }
  work.end((removed) => log.info({ removed }, 'uploads past their time were removed'))
}

async function sweepBlobs({ table, blobs, now, log }: FileParts, signal: AbortSignal): Promise<void> {
  const work = countWork()
  const sweep = async (prefix: string, isWanted: (id: string) => Promise<boolean>): Promise<void> => {
    for await (const { key, changedAt } of blobs.list(prefix)) {
      if (signal.aborted) return
      const id = key.slice(prefix.length).split('/')[0] ?? ''
      if (changedAt > now() - graceMs || !canBeFileId(id) || (await isWanted(id))) continue
      await work.attempt(() => blobs.delete(key))
    }
  }
  await sweep(filePrefix, async (id) => (await table.get(id)) !== undefined)
  await sweep(uploadPrefix, async (id) => (await table.getUpload(id))?.status === 'pending')
  work.end((removed) => log.info({ removed }, 'blobs that nobody refers to were removed'))
}

/** One that cannot be removed does not keep the others; but a store that is away is not asked for every one. */
function countWork() {
  let done = 0
  const failures: unknown[] = []
  return {
    async attempt(work: () => Promise<unknown>): Promise<void> {
      try {
        await work()
        done++
      } catch (error) {
        failures.push(error)
        if (failures.length === mostFailures) throw error
      }
    },
    /** Throws what failed first, so that the worker comes back sooner. */
    end(tell: (done: number) => void): void {
      if (done > 0) tell(done)
      if (failures.length > 0) throw failures[0]
    },
  }
}
