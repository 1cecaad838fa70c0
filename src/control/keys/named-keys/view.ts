import type { NamedKey } from '../../../snapshot/keys/named-key.ts'
import type { NamedKeyView } from '../../api.ts'

/** What GET adds to a document; accepted back, so that what was read can be changed and written. */
export const shownFields = [
  'status',
  'previousSecretEndsAt',
  'revokedAt',
  'etag',
  'createdAt',
  'updatedAt',
] as const satisfies readonly (keyof NamedKeyView)[]

/** A key as the outside sees it at the time `now`: of its secrets nothing, but in the answer that made one. */
export function viewNamedKey(key: NamedKey, now: number, secret?: string): NamedKeyView {
  const { spec, previous, revokedAt } = key
  const isExpired = spec.expiresAt !== undefined && now >= Date.parse(spec.expiresAt)
  const status = revokedAt !== undefined ? 'revoked' : isExpired ? 'expired' : 'active'
  return {
    ...spec,
    name: key.name,
    ...(secret !== undefined && { secret }),
    status,
    ...(status === 'active' && previous && previous.endsAt > now && { previousSecretEndsAt: toIso(previous.endsAt) }),
    ...(revokedAt !== undefined && { revokedAt: toIso(revokedAt) }),
    etag: key.etag,
    createdAt: toIso(key.createdAt),
    updatedAt: toIso(key.updatedAt),
  }
}

function toIso(time: number): string {
  return new Date(time).toISOString()
}
