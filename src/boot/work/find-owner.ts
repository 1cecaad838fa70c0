import type { Caller } from '../../core/exchange.ts'
import { ownResource, type ResourceId, resourceOf } from '../../core/resource.ts'
import { isOver, type KnownKey } from '../../policy/authenticate.ts'
import { ownerOf } from '../../service/stored-completions/owner.ts'
import type { Snapshot } from '../../snapshot/snapshot.ts'

export type FindOwnerParts = {
  /** What the data plane has of a resource; undefined when it is not reachable. */
  snapshotOf(resource: ResourceId): Pick<Snapshot, 'keys'> | undefined
  /** Whom a token named some time ago, with the roles that he has now; undefined when nothing is known of him any more. */
  recallCaller(owner: string, resource: ResourceId): Caller | undefined
  /** Unix milliseconds. */
  now(): number
}

/** Whom work is done for that an owner left: secrets come and go, so he is found by the name of his key. undefined when that opens nothing any more. */
export function createFindOwner({
  snapshotOf,
  recallCaller,
  now,
}: FindOwnerParts): (owner: string) => Caller | undefined {
  /** Every line asks, and a resource may have thousands of keys. */
  const known = new WeakMap<Snapshot['keys'], ReadonlyMap<string, readonly KnownKey[]>>()

  function callersIn(keys: Snapshot['keys']): ReadonlyMap<string, readonly KnownKey[]> {
    const sorted = known.get(keys) ?? Map.groupBy(keys.values(), ownerOf)
    known.set(keys, sorted)
    return sorted
  }

  return (owner) => {
    const resource = resourceOf(owner)
    const snapshot = snapshotOf(resource)
    if (!snapshot) return undefined
    const time = now()
    const caller = callersIn(snapshot.keys)
      .get(owner)
      ?.find((known) => !isOver(known, time))
    return caller ?? recallCaller(owner.slice(resource === ownResource ? 0 : resource.length + 1), resource)
  }
}
