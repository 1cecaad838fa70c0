import type { Caller } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'

/**
 * The blocklists are those of the whole resource, and what they look for is the operator's secret: a key that was made for somebody has
 * no business with them. Throws Fault `forbidden`.
 */
export function requireOwner({ grant, keyName }: Caller): void {
  if (!grant) return
  throw new Fault(
    'forbidden',
    `The key '${keyName}' may not read, change or use blocklists here. Use one of the resource's own two keys.`,
  )
}
