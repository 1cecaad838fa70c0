import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Caller } from '../../src/core/exchange.ts'
import { createDiskBlobs } from '../../src/port/blobs/disk/create-disk-blobs.ts'
import type { Blobs } from '../../src/port/blobs/port.ts'
import { openSqliteTables } from '../../src/port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../src/port/tables/port.ts'
import type { FileLimits } from '../../src/service/files/limits.ts'
import { type Files, openFiles } from '../../src/service/files/open.ts'
import { type Harness, type HarnessOptions, startHarness } from './harness.ts'
import { forkHarness, type HarnessProcess, serveParent } from './harness-process.ts'

export type FilesServer = Harness & {
  readonly folder: string
  readonly tables: Tables
  readonly blobs: Blobs
  readonly files: Files
}

export type FilesServerOptions = Omit<HarnessOptions, 'services'> & {
  readonly limits?: Partial<FileLimits>
  /** Stands before the blobs on disk. */
  readonly wrapBlobs?: (blobs: Blobs) => Blobs
  readonly now?: () => number
}

/** `red` and `blue` have keys of their own; `second-key` is the resource's other one. */
export const fileCallers: Record<string, Caller> = {
  'second-key': { keyName: 'key2', grant: undefined, expiresAt: undefined },
  ...Object.fromEntries(
    ['red', 'blue'].map((keyName) => {
      const grant = { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] }
      return [`key-of-${keyName}`, { keyName, grant, expiresAt: undefined }]
    }),
  ),
}

/** The data plane with files, on disk in a temporary folder that goes when it stops. */
export async function startFilesServer(options: FilesServerOptions = {}): Promise<FilesServer> {
  const { limits, wrapBlobs = (blobs) => blobs, now = Date.now, ...others } = options
  const folder = mkdtempSync(join(tmpdir(), 'ponto-files-'))
  const tables = await openSqliteTables(join(folder, 'ponto.db'))
  const blobs = wrapBlobs(await createDiskBlobs(join(folder, 'blobs')))
  const ignore = (): void => {}
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  const files = openFiles({ table: tables.files, blobs, now, log, limits })
  const harness = await startHarness({ callers: fileCallers, ...others, services: files.routes })
  return {
    ...harness,
    folder,
    tables,
    blobs,
    files,
    async stop() {
      await harness.stop()
      await blobs.close()
      await tables.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** The same in a process of its own, so that its memory can be told from the test's. */
export function startFilesProcess(): Promise<HarnessProcess> {
  return forkHarness(import.meta.filename, '')
}

if (import.meta.main) {
  const server = await startFilesServer()
  process.on('SIGTERM', () => void server.stop().then(() => process.exit()))
  serveParent(server)
}
