import type { JsonObject } from '../../core/json.ts'

const shownByAll = ['etag', 'source', 'createdAt', 'updatedAt']

/** What the API shows of a thing, and the thing itself does not say; by where it is found. */
const shown: Readonly<Record<string, readonly string[]>> = {
  quota: ['unit', 'used', 'available', 'deployments'],
  deployments: ['servedVersion', 'effectiveLimits', 'lifecycle', 'expiresAt', 'effectiveRaiPolicyName'],
  'rai-policies': ['type', 'effectiveFilters', 'deployments'],
  'rai-blocklists': ['itemCount', 'policies'],
  'rai-topics': ['policies'],
  'filter-engines': ['categories', 'policies'],
  'deployment-policies': ['violations'],
}

/** The document that a thing was made of, from how it is shown. `collection` is the first part of its path. */
export function withoutShown(collection: string, view: JsonObject): JsonObject {
  const hidden = [...shownByAll, ...(shown[collection] ?? [])]
  return Object.fromEntries(Object.entries(view).filter(([field]) => !hidden.includes(field)))
}
