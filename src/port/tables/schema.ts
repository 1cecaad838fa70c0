import type { JobSchema } from '../jobs/table.ts'
import type { IdentitySchema } from './access/identity/table.ts'
import type { NamedKeySchema } from './access/named-keys/table.ts'
import type { AuditSchema } from './audit/table.ts'
import type { BatchSchema } from './batches/table.ts'
import type { FileSchema } from './files/table.ts'
import type { FilterSchema } from './filters/table.ts'
import type { BelongingsSchema } from './resources/belongings.ts'
import type { GroupSchema } from './resources/groups/table.ts'
import type { QuotaSchema } from './resources/quota/table.ts'
import type { ResourceSchema } from './resources/table.ts'
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
  BatchSchema &
  AuditSchema &
  IdentitySchema &
  ResourceSchema &
  GroupSchema &
  BelongingsSchema
