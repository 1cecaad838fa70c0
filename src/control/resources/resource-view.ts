import type { ResourceView } from '../api.ts'
import type { DeletedAccount, ResourceRecord } from './accounts.ts'

/** What GET adds to a document: accepted back, so that what was read can be changed and written. */
export const shownFields = [
  'isDefault',
  'etag',
  'source',
  'createdAt',
  'updatedAt',
  'deletedAt',
] as const satisfies readonly (keyof ResourceView)[]

export function viewResource(record: ResourceRecord | DeletedAccount): ResourceView {
  const { spec, source, etag, createdAt, updatedAt, isDefault } = record
  return {
    ...spec,
    isDefault,
    etag,
    source,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
    ...('deletedAt' in record && { deletedAt: new Date(record.deletedAt).toISOString() }),
  }
}
