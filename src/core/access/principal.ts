/** Roles by Azure's names; what each may do is in `role-table.ts`. */
export type RoleName =
  | 'Owner'
  | 'Contributor'
  | 'Reader'
  | 'Cognitive Services Contributor'
  | 'Cognitive Services User'
  | 'Cognitive Services OpenAI Contributor'
  | 'Cognitive Services OpenAI User'

/** A role and where it holds: on the whole server, on a resource, or on one of its deployments (with all below). */
export type RoleAssignment = {
  readonly role: RoleName
  readonly scope:
    | { readonly kind: 'server' }
    | { readonly kind: 'resource'; readonly resource: string }
    | { readonly kind: 'deployment'; readonly resource: string; readonly deployment: string }
}

/** Who acts: whoever holds the management credential, or whom a token of a trusted issuer names. */
export type Principal = {
  readonly kind: 'operator' | 'token'
  /** Stable: the `oid` or `sub` of the token. */
  readonly id: string
  /** For people. */
  readonly name: string
  readonly issuer: string | undefined
  readonly roles: readonly RoleAssignment[]
}

/** Whoever holds the management credential of this server owns it. */
export const operator: Principal = {
  kind: 'operator',
  id: 'operator',
  name: 'the management credential',
  issuer: undefined,
  roles: [{ role: 'Owner', scope: { kind: 'server' } }],
}
