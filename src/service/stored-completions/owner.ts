import type { Caller } from '../../core/exchange.ts'
import { qualify } from '../../core/resource.ts'

/** A named key finds what it stored itself. The resource's own two keys are one owner: each stands in for the other. */
export function ownerOf({ grant, keyName, resource }: Caller): string {
  return qualify(resource, grant ? keyName : '')
}
