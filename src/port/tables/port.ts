import type { JsonObject } from '../../core/json.ts'
import type { Jobs } from '../jobs/port.ts'
import type { BatchesTable } from './batches/port.ts'
import type { FilesTable } from './files/port.ts'
import type { FiltersTable } from './filters/port.ts'
import type { NamedKeysTable } from './named-keys/port.ts'
import type { QuotaTable } from './quota/port.ts'
import type { StoredCompletionsTable } from './stored-completions/port.ts'
import type { UsageTable } from './usage/port.ts'

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

/** Durable state. Every adapter passes `contract.ts`. Nothing here is called to answer an inference request. */
export type Tables = {
  getResource(): Promise<ResourceRow | undefined>
  putResource(row: ResourceRow): Promise<void>

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
  readonly storedCompletions: StoredCompletionsTable
  readonly quota: QuotaTable
  readonly usage: UsageTable
  readonly filters: FiltersTable
  readonly files: FilesTable
  readonly jobs: Jobs
  readonly batches: BatchesTable

  /** Of servers that share these tables, one runs this at a time; the others wait for their turn. */
  exclusively<T>(run: () => Promise<T>): Promise<T>

  close(): Promise<void>
}
