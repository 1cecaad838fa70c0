import { contentSafetyAction } from '../../../core/access/data-actions.ts'
import type { Caller } from '../../../core/exchange.ts'
import { Fault } from '../../../core/fault.ts'
import { ownResource } from '../../../core/resource.ts'
import { isAllowed } from '../../../policy/access/authorize.ts'

export const blocklistActions = {
  read: contentSafetyAction('blocklists/read'),
  write: contentSafetyAction('blocklists/write'),
  delete: contentSafetyAction('blocklists/delete'),
} as const

/**
 * The blocklists are those of the whole resource, and what they look for is the operator's secret: a key that was made for somebody has
 * no business with them, and who comes with a token needs a role. Throws Fault `forbidden`.
 */
export function requireOwner({ grant, keyName, principal, resource = ownResource }: Caller): void {
  if (!grant) return
  if (principal && isAllowed(principal, 'data', blocklistActions.read, { kind: 'resource', resource })) return
  throw new Fault(
    'forbidden',
    principal
      ? `The principal '${principal.id}' lacks the required data action '${blocklistActions.read}'.`
      : `The key '${keyName}' may not read, change or use blocklists here. Use one of the resource's own two keys.`,
  )
}
