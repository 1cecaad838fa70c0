import type { JsonObject } from '../../../core/json.ts'
import type { ResourceId } from '../../../core/resource.ts'

/** A resource, and what is written down of it beside what belongs to it. */
export type StoredResource = {
  /** '' is the server's own. */
  readonly id: ResourceId
  /** As the operator wrote it; found without regard to case, and of one resource only, be that deleted. */
  readonly name: string
  /** The validated document, without the name. */
  readonly document: JsonObject
  /** Changes with every write. */
  readonly etag: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
  /** When it was deleted, with all that belongs to it still there; unix milliseconds. */
  readonly deletedAt: number | undefined
}

export type ResourcesTable = {
  /** Ordered by name, without regard to case; those that are deleted too. */
  list(): Promise<StoredResource[]>
  /** Undefined, and nothing changes, where the name or the id is taken. `now` is unix milliseconds. */
  add(id: ResourceId, name: string, document: JsonObject, now: number): Promise<StoredResource | undefined>
  /** Changes what is given, if the row still has `expectedEtag`; otherwise it resolves to undefined and nothing changes. */
  update(
    id: ResourceId,
    change: { readonly document?: JsonObject; readonly deletedAt?: number | null },
    expectedEtag: string,
    now: number,
  ): Promise<StoredResource | undefined>
  /**
   * Whether the row was there with that etag. What belongs to the resource goes with it: deployments, keys, filters, usage, stored answers,
   * batches. Its files and uploads expire at `now`, so that their contents are taken away as those of others are.
   */
  delete(id: ResourceId, expectedEtag: string, now: number): Promise<boolean>
}
