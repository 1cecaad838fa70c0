import type { JsonObject } from '../../../../core/json.ts'

/**
 * A program that may ask this server for tokens. Of its secrets only the SHA-256 is kept, hexadecimal: they are random and long, so there is
 * nothing to guess that a slow hash would protect.
 */
export type ServicePrincipalRow = {
  /** As the operator wrote it; found without regard to case. */
  readonly name: string
  /** What it calls itself when it asks: `client_id`. A GUID. */
  readonly appId: string
  /** What roles are assigned to. A GUID, which a later one of the same name does not get. */
  readonly objectId: string
  /** Of the secret it has now. */
  readonly digest: string
  /** When that secret ends, in unix milliseconds. */
  readonly endsAt: number | undefined
  /** The secret before that, taken only before `endsAt`. */
  readonly previous: { readonly digest: string; readonly endsAt: number } | undefined
  /** Changes with every write. */
  readonly etag: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** Who may do what, where. */
export type RoleAssignmentRow = {
  /** A GUID. */
  readonly id: string
  /** The `oid`, `sub` or `appid` of the tokens that it is for, or one of their groups. */
  readonly principal: string
  readonly kind: 'principal' | 'group'
  /** Whose tokens: the issuer's identifier. */
  readonly issuer: string
  readonly role: string
  readonly scope: JsonObject
  /** Unix milliseconds. */
  readonly createdAt: number
}

/** A key that tokens of this server are signed with. */
export type SigningKeyRow = {
  readonly kid: string
  /** The private key, encrypted under the master key. */
  readonly sealed: string
  /** The public key, as JWK. */
  readonly publicKey: JsonObject
  /** Unix milliseconds. */
  readonly createdAt: number
}

/** Whom a token has named, and what it said of him: for work that goes on after the token has ended. */
export type SeenPrincipalRow = {
  readonly owner: string
  readonly claims: JsonObject
  /** Unix milliseconds. */
  readonly seenAt: number
}

/** Nothing here is asked to answer an inference request. */
export type IdentityTable = {
  /** Ordered by name, without regard to case. */
  listPrincipals(): Promise<ServicePrincipalRow[]>
  /** Found without regard to case. */
  getPrincipal(name: string): Promise<ServicePrincipalRow | undefined>
  /**
   * Writes if the stored row still has `expectedEtag` (`null`: if there is no row); otherwise it resolves to undefined and nothing changes.
   * Name, identifiers and time of creation stay those of the first write.
   */
  putPrincipal(
    row: Omit<ServicePrincipalRow, 'etag'>,
    expectedEtag: string | null,
  ): Promise<ServicePrincipalRow | undefined>
  /** Whether the row was there and had that etag. */
  deletePrincipal(name: string, expectedEtag: string): Promise<boolean>

  /** Ordered by time and id. */
  listAssignments(): Promise<RoleAssignmentRow[]>
  /** Adds or replaces. */
  putAssignment(row: RoleAssignmentRow): Promise<void>
  /** Whether it was there. */
  deleteAssignment(id: string): Promise<boolean>

  /** The newest first. */
  listSigningKeys(): Promise<SigningKeyRow[]>
  addSigningKey(row: SigningKeyRow): Promise<void>
  /** Removes those that were made before. */
  deleteSigningKeys(before: number): Promise<void>

  listSeen(): Promise<SeenPrincipalRow[]>
  /** Adds or replaces. */
  putSeen(row: SeenPrincipalRow): Promise<void>
  /** Removes those that were seen last before. */
  deleteSeen(before: number): Promise<void>

  /** What is stored under that name; `value`, which is then stored, where nothing is. Of several that ask at once, all get the same. */
  settle(name: string, value: string): Promise<string>
}
