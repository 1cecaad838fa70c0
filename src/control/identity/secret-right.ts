import { type Principal, serverScope } from '../../core/access/principal.ts'
import { authorizeAction } from '../../policy/access/authorize.ts'

/** As Azure calls the right to have a secret that is kept elsewhere used by what one deploys. Owner and Contributor have it. */
const action = 'Microsoft.KeyVault/vaults/deploy/action'

/**
 * Whoever may make deployments or filter engines says where the server sends their credentials. One that is a variable of the server's own may
 * be meant for something else, and so is for those who may manage the server. Throws Fault `forbidden`.
 */
export function judgeSecrets(principal: Principal, document: unknown): void {
  if (namesVariable(document)) authorizeAction(principal, action, serverScope)
}

/** Whether a credential anywhere in it is `{"env": ...}`. Without recursion: strangers decide how deep it is. */
function namesVariable(document: unknown): boolean {
  const open: unknown[] = [document]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'credential' && typeof inner === 'object' && inner !== null && 'env' in inner) return true
      open.push(inner)
    }
  }
  return false
}
