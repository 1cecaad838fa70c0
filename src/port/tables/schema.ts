import type { JobSchema } from '../jobs/table.ts'
import type { BatchSchema } from './batches/table.ts'
import type { FileSchema } from './files/table.ts'
import type { FilterSchema } from './filters/table.ts'
import type { NamedKeySchema } from './named-keys/table.ts'
import type { KeyName } from './port.ts'
import type { QuotaSchema } from './quota/table.ts'
import type { StoredCompletionSchema } from './stored-completions/table.ts'
import type { UsageSchema } from './usage/table.ts'

/** The tables as the newest migration leaves them. Times are unix milliseconds, documents JSON text. */
export type Schema = StoredCompletionSchema &
  NamedKeySchema &
  QuotaSchema &
  UsageSchema &
  FilterSchema &
  FileSchema &
  JobSchema &
  BatchSchema & {
    resource: { id: 1; name: string; created_at: number }
    resource_key: { name: KeyName; sealed: string; created_at: number }
    deployment: {
      /** The name in lower case: what it is found by. */
      key: string
      name: string
      document: string
      etag: string
      created_at: number
      updated_at: number
    }
  }
