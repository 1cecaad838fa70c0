import type { ServiceRoute } from '../../core/service-route.ts'
import type { JobHandler } from '../../port/jobs/port.ts'
import { createFileChores } from './chores.ts'
import { defaultFileLimits, type FileLimits } from './limits.ts'
import { createQuota } from './quota.ts'
import { createFileRoutes } from './routes.ts'
import { createFileStore, type FileParts, type FileStore } from './store.ts'

export type FilesOptions = FileParts & {
  /** What is absent is as in `defaultFileLimits`. */
  readonly limits?: Partial<FileLimits> | undefined
}

export type Files = {
  readonly routes: readonly ServiceRoute[]
  /** For work that reads files and makes some. */
  readonly store: FileStore
  /** For the worker, by kind. */
  readonly handlers: Readonly<Record<string, JobHandler>>
}

/** Files that callers upload, whole or in parts, and those that work for them makes. */
export function openFiles(options: FilesOptions): Files {
  const { blobs, now, log } = options
  const limits = { ...defaultFileLimits, ...options.limits }
  const parts: FileParts = { table: options.table, blobs, now, log }
  const store = createFileStore(parts)
  const quota = createQuota(options.table, limits, now)
  const routes = createFileRoutes({ ...parts, limits, store, quota })
  return { routes, store, handlers: createFileChores(parts) }
}
