import type { JsonObject } from '../../core/json.ts'
import type { ResourceId } from '../../core/resource.ts'
import type { Jobs } from '../jobs/port.ts'
import type { IdentityTable } from './access/identity/port.ts'
import type { NamedKeysTable } from './access/named-keys/port.ts'
import type { AuditTable } from './audit/port.ts'
import type { BatchesTable } from './batches/port.ts'
import type { FilesTable } from './files/port.ts'
import type { FiltersTable } from './filters/port.ts'
import type { GroupsTable } from './resources/groups/port.ts'
import type { ResourcesTable } from './resources/port.ts'
import type { QuotaTable } from './resources/quota/port.ts'
import type { StoredCompletionsTable } from './stored-completions/port.ts'
import type { UsageStore } from './usage/port.ts'

export type DeploymentRow = {
  /** As the operator wrote it. */
  readonly name: string
  /** The validated document; credentials in it are sealed. */
  readonly document: JsonObject
  /** Changes with every write. */
  readonly etag: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type KeyName = 'key1' | 'key2'

/** A resource key. `sealed` is the key encrypted under the master key, since people want to read it again. */
export type KeyRow = { readonly name: KeyName; readonly sealed: string; readonly createdAt: number }

export type ResourceRow = { readonly name: string; readonly createdAt: number }

/** What belongs to one resource: others do not see it. */
export type ResourceTables = {
  listKeys(): Promise<KeyRow[]>
  putKey(row: KeyRow): Promise<void>

  /** Ordered by name, without regard to case. */
  listDeployments(): Promise<DeploymentRow[]>
  /** Found without regard to case. */
  getDeployment(name: string): Promise<DeploymentRow | undefined>
  /**
   * Creates or replaces. With `expectedEtag` the write happens only if the stored row still has it (`null`: only if there is no
   * row); otherwise it resolves to undefined and nothing changes. The name keeps the spelling of its creation.
   */
  putDeployment(name: string, document: JsonObject, expectedEtag?: string | null): Promise<DeploymentRow | undefined>
  /** Whether a row was there. */
  deleteDeployment(name: string): Promise<boolean>

  readonly namedKeys: NamedKeysTable
  readonly filters: FiltersTable
}

/** Durable state. Every adapter passes `contract.ts`. Nothing here is called to answer an inference request. */
export type Tables = ResourceTables & {
  /** What belongs to a resource. The tables here are those of the server's own. */
  of(resource: ResourceId): ResourceTables
  readonly resources: ResourcesTable
  readonly groups: GroupsTable

  /** The server's own resource; what else there is of it is in `resources`. */
  getResource(): Promise<ResourceRow | undefined>
  putResource(row: ResourceRow): Promise<void>

  readonly storedCompletions: StoredCompletionsTable
  readonly quota: QuotaTable
  readonly usage: UsageStore
  readonly files: FilesTable
  readonly jobs: Jobs
  readonly batches: BatchesTable
  readonly audit: AuditTable
  readonly identity: IdentityTable

  /** Of servers that share these tables, one runs this at a time; the others wait for their turn. */
  exclusively<T>(run: () => Promise<T>): Promise<T>

  /**
   * Calls `onChange` soon after configuration was written (keys, deployments, quota pools, content filters), by whichever server, and also where it
   * may have been while nobody listened. Never where one server has the tables for itself. The function returned ends that.
   */
  subscribe(onChange: () => void): () => void

  close(): Promise<void>
}
