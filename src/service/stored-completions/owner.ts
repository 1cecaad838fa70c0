import type { Caller } from '../../core/exchange.ts'

/** A named key finds what it stored itself. The resource's own two keys are one owner: each stands in for the other. */
export function ownerOf({ grant, keyName }: Caller): string {
  return grant ? keyName : ''
}
