import type { JsonObject } from '../../../../core/json.ts'

/**
 * A key beside the resource's two. Of its secrets only the SHA-256 is kept, hexadecimal: a secret is 84 random letters and digits, about
 * 500 bits, so there is nothing to guess that a salt or a slow hash would protect.
 */
export type NamedKeyRow = {
  /** As the operator wrote it. */
  readonly name: string
  /** Whose it is, what it may use and how much of it: the validated document. */
  readonly document: JsonObject
  /** Of the secret it has now. */
  readonly digest: string
  /** The secret before that, known until the next takes its place, but taken only before `endsAt` (unix milliseconds). */
  readonly previous: { readonly digest: string; readonly endsAt: number } | undefined
  /** Unix milliseconds; a revoked key does not come back. */
  readonly revokedAt: number | undefined
  /** Changes with every write. */
  readonly etag: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type NamedKeysTable = {
  /** Ordered by name, without regard to case. */
  list(): Promise<NamedKeyRow[]>
  /** Found without regard to case. */
  get(name: string): Promise<NamedKeyRow | undefined>
  /**
   * Writes if the stored row still has `expectedEtag` (`null`: if there is no row); otherwise it resolves to undefined and nothing
   * changes. Name and time of creation stay those of the first write.
   */
  put(row: Omit<NamedKeyRow, 'etag'>, expectedEtag: string | null): Promise<NamedKeyRow | undefined>
  /** Whether the row was there and had that etag. */
  delete(name: string, expectedEtag: string): Promise<boolean>
}
