import type { JsonObject } from '../../../core/json.ts'

/** What a content filter is made of, and policies over deployments, which are kept as it is. */
export const filterKinds = ['policy', 'blocklist', 'engine', 'topic', 'deployment-policy'] as const

export type FilterKind = (typeof filterKinds)[number]

export type FilterRow = {
  /** As the operator wrote it. */
  readonly name: string
  /** The validated document; credentials in it are sealed. That of a blocklist is without its items. */
  readonly document: JsonObject
  /** Changes with every write, also one of items only. */
  readonly etag: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** A term or pattern of a blocklist. Names are found without regard to case. */
export type FilterItem = { readonly name: string; readonly pattern: string; readonly isRegex: boolean }

/** What happens to the items of a blocklist: `remove` by name, and `put` adds or replaces. */
export type ItemChange = { readonly remove: readonly string[]; readonly put: readonly FilterItem[] }

export type FiltersTable = {
  /** Ordered by name, without regard to case. */
  list(kind: FilterKind): Promise<FilterRow[]>
  /**
   * Writes if the stored row still has `expectedEtag` (`null`: if there is no row); otherwise it resolves to undefined and nothing
   * changes. Name and time of creation stay those of the first write. Items are changed with the row or not at all. `now` is unix
   * milliseconds.
   */
  put(
    kind: FilterKind,
    name: string,
    document: JsonObject,
    expectedEtag: string | null,
    now: number,
    items?: ItemChange,
  ): Promise<FilterRow | undefined>
  /** Whether the row was there; the items of a blocklist go with it. */
  delete(kind: FilterKind, name: string): Promise<boolean>
  /** Ordered by name, without regard to case. */
  listItems(list: string): Promise<FilterItem[]>
}
