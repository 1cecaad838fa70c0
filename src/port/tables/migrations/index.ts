import type { Kysely } from 'kysely'
import { createFirstTables } from './0001-first-tables.ts'
import { addStoredCompletions } from './0002-stored-completions.ts'
import { addNamedKeys } from './0003-named-keys.ts'
import { addUsage } from './0004-usage.ts'
import { addQuota } from './0005-quota.ts'
import { addFilters } from './0006-filters.ts'
import { addJobs } from './0007-jobs.ts'
import { addFiles } from './0008-files.ts'
import { addBatches } from './0009-batches.ts'
import { addAudit } from './0010-audit.ts'
import { addResources } from './0011-resources.ts'
import { addIdentity } from './0012-identity.ts'
import { addResourceGroups } from './0013-resource-groups.ts'

/** One step of the schema. It runs in a transaction, once per database, and never changes after it was released. */
export type Migration = (db: Kysely<unknown>) => Promise<void>

/** In order: the schema's version is how many of these a database has been through. */
export const migrations: readonly Migration[] = [
  createFirstTables,
  addStoredCompletions,
  addNamedKeys,
  addUsage,
  addQuota,
  addFilters,
  addJobs,
  addFiles,
  addBatches,
  addAudit,
  addResources,
  addIdentity,
  addResourceGroups,
]
